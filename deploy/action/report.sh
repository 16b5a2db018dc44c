#!/usr/bin/env bash
# One deploy report to a chimney origin. Needs bash and curl, and nothing of chimney.
#
#   CHIMNEY_URL, CHIMNEY_DEPLOY_TOKEN   where to, and with what right
#   REPORT_REVISION                     what is deployed
#   REPORT_STATUS                       empty: it starts; success: it succeeded; anything else: it failed
#   REPORT_PHASE                        the phase itself, instead of the status
#   REPORT_ENVIRONMENT, _ENVIRONMENT_URL, _SLOT, _MESSAGE, _PR_NUMBER, _PR_TITLE, _ACTOR, _REASON, _RUN_URL, _ID,
#   _DURATION_SECONDS, _RETRIES         optional
#   REPORT_REQUIRED=true                ends with 1 when the report was not taken; otherwise that is only a warning
#
# A deployment must not fail because nobody could be told of it: that is why the warning is the default.
set -euo pipefail

refused() {
  if [ -n "${GITHUB_ACTIONS:-}" ]; then
    echo "::warning title=chimney::$1"
  else
    echo "chimney: $1" >&2
  fi
  if [ "${REPORT_REQUIRED:-}" = true ]; then exit 1; else exit 0; fi
}

utf8() {
  if command -v iconv >/dev/null; then iconv -c -f utf-8 -t utf-8 || true; else cat; fi
}

# A text as JSON: what is no UTF-8 and what is a control character is left out, 2,000 characters at most.
quoted() {
  local text
  text=$(printf '%s' "${1:0:2000}" | tr -d '\000-\010\013\014\016-\037\177' | utf8)
  text=${text//\\/\\\\}
  text=${text//\"/\\\"}
  text=${text//$'\n'/\\n}
  text=${text//$'\r'/\\r}
  text=${text//$'\t'/\\t}
  printf '"%s"' "$text"
}

body=
field() { # name, value: nothing for an empty value
  if [ -n "$2" ]; then body="$body${body:+, }\"$1\": $(quoted "$2")"; fi
}
number() {
  if [[ "$2" =~ ^[0-9]{1,9}(\.[0-9]{1,6})?$ ]]; then body="$body${body:+, }\"$1\": $2"; fi
}

url=${CHIMNEY_URL:-}
if [ -z "$url" ]; then refused "CHIMNEY_URL is not set: nobody is told of this deployment"; fi
revision=${REPORT_REVISION:-}
case ${REPORT_PHASE:-${REPORT_STATUS:-}} in
  '' | started) phase=started ;;
  success | succeeded) phase=succeeded ;;
  rolled_back) phase=rolled_back ;;
  *) phase=failed ;;
esac

# When it started is remembered between the two steps of one job.
place=${REPORT_ENVIRONMENT:-}-${REPORT_SLOT:-}
mark=${RUNNER_TEMP:-}/chimney-deploy-${place//[^A-Za-z0-9-]/_}
duration=${REPORT_DURATION_SECONDS:-}
if [ -n "${RUNNER_TEMP:-}" ]; then
  if [ "$phase" = started ]; then
    date +%s >"$mark"
  elif [ -z "$duration" ] && [ -r "$mark" ]; then
    duration=$(($(date +%s) - $(cat "$mark")))
  fi
fi

title=${REPORT_MESSAGE:-}
title=${title%%$'\n'*}
pr_number=${REPORT_PR_NUMBER:-}
pr_title=${REPORT_PR_TITLE:-}
if [ -z "$pr_number" ] && [[ "$title" =~ ^(.*)\ \(#([0-9]+)\)$ ]]; then
  pr_title=${BASH_REMATCH[1]}
  pr_number=${BASH_REMATCH[2]}
fi

run_url=${REPORT_RUN_URL:-}
id=${REPORT_ID:-}
if [ -n "${GITHUB_RUN_ID:-}" ]; then
  run_url=${run_url:-${GITHUB_SERVER_URL:-https://github.com}/${GITHUB_REPOSITORY:-}/actions/runs/$GITHUB_RUN_ID}
  id=${id:-actions-$GITHUB_RUN_ID-${GITHUB_RUN_ATTEMPT:-1}-${GITHUB_JOB:-job}-$place-$phase}
fi

field phase "$phase"
field revision "$revision"
field environment "${REPORT_ENVIRONMENT:-}"
field environment_url "${REPORT_ENVIRONMENT_URL:-}"
field slot "${REPORT_SLOT:-}"
field message "${REPORT_MESSAGE:-}"
number pr_number "$pr_number"
field pr_title "$pr_title"
field actor "${REPORT_ACTOR:-}"
field reason "${REPORT_REASON:-}"
field run_url "$run_url"
number duration_seconds "$duration"
field id "${id//[^!-~]/_}"

# The token goes in by a pipe: arguments of a process are seen by everyone on the machine.
token=${CHIMNEY_DEPLOY_TOKEN:-}
answer=$(
  {
    echo 'header = "Content-Type: application/json"'
    if [ -n "$token" ]; then printf 'header = "Authorization: Bearer %s"\n' "${token//[^!-~]/}"; fi
  } | curl --config - --silent --show-error --retry "${REPORT_RETRIES:-3}" --retry-connrefused --retry-delay 1 --max-time 10 \
    --data-binary "{$body}" --write-out '\n%{http_code}' "${url%/}/api/deploy/events" 2>&1
) || refused "the report ($phase) was not recorded: ${answer//$'\n'/ }"

code=${answer##*$'\n'}
said=${answer%$'\n'*}
case $code in
  200 | 201) ;;
  *) refused "the report ($phase) was refused with $code: ${said:0:500}" ;;
esac
if [[ "$said" =~ \"deployment\":\ *\{\"id\":\ *\"([^\"]*)\" ]]; then
  deployment=${BASH_REMATCH[1]}
  if [ -n "${GITHUB_OUTPUT:-}" ]; then echo "deployment=$deployment" >>"$GITHUB_OUTPUT"; fi
  echo "chimney: recorded $phase of ${revision:0:12} as $deployment"
else
  refused "what answers at $url is no origin of chimney"
fi
