export interface Fault {
  path: string;
  detail: string;
}

/** `application/problem+json`; `instance` is the request id. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
  errors?: Fault[];
}
