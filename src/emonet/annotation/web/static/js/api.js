// Requests to the server. `Offline`: it was not reached or is not well, try again. `Refused`: it said no, with a reason.
export class Offline extends Error {}
export class Refused extends Error {
  constructor(status, message) { super(message); this.status = status; }
}

let csrf = "";
export const useToken = (token) => { csrf = token; };

export async function call(method, path, body) {
  let response;
  const headers = { Accept: "application/json" };
  if (method !== "GET") Object.assign(headers, { "X-CSRF-Token": csrf, "Content-Type": "application/json" });
  try {
    response = await fetch(path, {
      method, headers, credentials: "same-origin", cache: "no-store", signal: AbortSignal.timeout(20000),
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    throw new Offline(error.message);
  }
  if (response.status >= 500 || response.status === 429 || response.status === 408) throw new Offline(`the server answered ${response.status}`);
  const reply = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(response.status, typeof reply.detail === "string" ? reply.detail : `The server answered ${response.status}.`);
  return reply;
}
