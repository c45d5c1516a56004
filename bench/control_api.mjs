// The same work as lambda_fn, for Node: node control_api.mjs EVENT.json
import { readFileSync } from "node:fs";
import { timingSafeEqual, createHash, createHmac } from "node:crypto";
import { request } from "node:https";
const KEYS = ["action", "target", "caller", "ami_override", "requested_by", "request_id", "reply"];
const ID = /^(?!all$)(?=.{1,32}$)[a-z0-9](-?[a-z0-9])*$/;
const FLEET = /^arn:aws:iam::(\d{12}):user\/fleet\/(agent|chat)\/([\w-]{1,32})\/\3-\2$/;
const answer = (statusCode, body) => ({ statusCode, headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
const refuse = (statusCode, code, error) => answer(statusCode, { ok: false, code, error });
const same = (a, b) => a.length === b.length && timingSafeEqual(a, b);
const env = process.env;
const ca = readFileSync(env.SSL_CERT_FILE);
const post = (url, headers, body, method = "POST") => new Promise((resolve, reject) => {
  request(url, { method, ca, headers: { ...headers, "content-length": Buffer.byteLength(body) }, timeout: 8500 }, (response) => {
    let text = "";
    response.setEncoding("utf8").on("data", (chunk) => (text += chunk)).on("end", () => resolve({ status: response.statusCode, text }));
  }).on("error", reject).end(body);
});
const sha = (text) => createHash("sha256").update(text).digest("hex");
async function parameter(name) {
  const body = JSON.stringify({ Name: name, WithDecryption: true });
  const at = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
  const headers = { "content-type": "application/x-amz-json-1.1", host: new URL(env.AWS_ENDPOINT_URL_SSM).host, "x-amz-date": at, "x-amz-target": "AmazonSSM.GetParameter" };
  const names = Object.keys(headers).sort().join(";");
  const lines = Object.keys(headers).sort().map((key) => `${key}:${headers[key]}\n`).join("");
  const scope = `${at.slice(0, 8)}/${env.AWS_REGION}/ssm/aws4_request`;
  const text = `AWS4-HMAC-SHA256\n${at}\n${scope}\n${sha(`POST\n/\n\n${lines}\n${names}\n${sha(body)}`)}`;
  const key = [...scope.split("/"), text].reduce((key, part) => createHmac("sha256", key).update(part).digest(), `AWS4${env.AWS_SECRET_ACCESS_KEY}`);
  headers.authorization = `AWS4-HMAC-SHA256 Credential=${env.AWS_ACCESS_KEY_ID}/${scope}, SignedHeaders=${names}, Signature=${key.toString("hex")}`;
  const said = await post(env.AWS_ENDPOINT_URL_SSM, headers, body);
  return JSON.parse(said.text).Parameter.Value;
}
async function handler(event) {
  if (event.requestContext.http.method !== "POST") return refuse(405, "method_not_allowed", "Only POST is answered.");
  const token = Buffer.from(event.headers["x-clawdinator-token"] ?? "");
  const known = await parameter(env.CONTROL_API_TOKEN_PARAMETER);
  if (!known.split("\n").some((one) => same(token, Buffer.from(one)))) return refuse(401, "unauthorized", "The token is wrong.");
  const [, account, role, owner] = FLEET.exec(event.requestContext.authorizer?.iam?.userArn) ?? [];
  if (account !== "123456789012") return refuse(403, "forged_caller", "The signer is not of our account.");
  if (event.body.length > 16384) return refuse(413, "too_large", "The body may have 16384 bytes.");
  const ask = JSON.parse(event.body);
  if (!Object.keys(ask).every((key) => KEYS.includes(key)) || ask.action !== "deploy" || !(ask.target === "all" || ID.test(ask.target))) return refuse(400, "bad_request", "`target` must be `all` or an instance id.");
  const [platform, bot] = ask.request_id.split(".");
  if (bot !== owner || (platform === "agent") !== (role === "agent")) return refuse(403, "forged_caller", "`request_id` is another's.");
  const caller = role === "agent" ? owner : ask.caller;
  if (caller && [caller, "all"].includes(ask.target)) return refuse(403, "self_deploy", `${caller} may not deploy itself.`);
  const inputs = { request_id: ask.request_id, reply: ask.reply ?? "", target: ask.target, ami_override: ask.ami_override ?? "", caller: caller ?? "", requested_by: ask.requested_by ?? "" };
  const headers = { authorization: `Bearer ${await parameter(env.GITHUB_TOKEN_PARAMETER)}`, "content-type": "application/json", "user-agent": "clawbot", "x-github-api-version": "2026-03-10" };
  const { status, text } = await post(`${env.GITHUB_API_URL}/repos/openclaw/clawdinators/actions/workflows/fleet-deploy.yml/dispatches`, headers, JSON.stringify({ ref: "main", inputs }));
  if (status !== 200) return refuse(502, "github_refused", text.slice(0, 300));
  const run = JSON.parse(text);
  let ahead = 0;
  for (const one of ["queued", "pending", "waiting", "requested", "in_progress"]) {
    const query = `status=${one}&per_page=1&event=workflow_dispatch&branch=main`;
    const list = JSON.parse((await post(`${env.GITHUB_API_URL}/repos/openclaw/clawdinators/actions/workflows/fleet-deploy.yml/runs?${query}`, headers, "", "GET")).text);
    ahead += list.total_count - list.workflow_runs.filter((other) => other.id >= run.workflow_run_id).length;
  }
  return answer(200, { ok: true, message: `deploy queued for ${ask.target}${ahead ? `; ${ahead} before it` : ""}`, run: { id: run.workflow_run_id, url: run.html_url } });
}
const response = await handler(JSON.parse(readFileSync(process.argv[2], "utf8")));
console.error(`control.answered status=${response.statusCode} body=${response.body}`);
console.log(JSON.stringify(response));
