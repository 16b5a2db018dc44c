// Lists all issues of a repository as Octokit does, one number a line: node octokit.mjs BASE_URL OWNER REPO
import { createRequire } from 'node:module';

const [baseUrl, owner, repo] = process.argv.slice(2);
const { Octokit } = await import(createRequire(`${process.cwd()}/`).resolve('@octokit/rest'));
const octokit = new Octokit({ baseUrl, auth: 'tests' });
const issues = await octokit.paginate('GET /repos/{owner}/{repo}/issues', { owner, repo, state: 'all', per_page: 100 });
console.log(issues.map((issue) => issue.number).join('\n'));
