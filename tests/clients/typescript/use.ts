// Uses the types that openapi-typescript made, through openapi-fetch: what does not fit does not compile.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

const place = process.argv[2] as string;
const service = JSON.parse(readFileSync(`${place}/service.json`, "utf8")) as { url: string; token: string };
const shop = createClient<paths>({ baseUrl: service.url });
const headers = { Authorization: `Bearer ${service.token}` };

const request: components["schemas"]["SearchRequest"] = { text: "red", filter: { id: ["red", "blue"] } };
const found = await shop.POST("/v1/search", { body: request });
assert.equal(found.data?.hits[0]?.id, "red");
assert.equal(found.data?.total, 2);

const form = new FormData();
form.append("image", new Blob([readFileSync(`${place}/red.png`)]), "red.png");
form.append("request", JSON.stringify({ limit: 1 }));
const seen = await shop.POST("/v1/search/upload", {
  body: {},
  bodySerializer: () => form,
});
assert.deepEqual(seen.data?.hits.map((hit) => hit.id), ["red"]);

const source: components["schemas"]["ImageSource"] = { url: "https://shop.example/a.jpg" };
const row: components["schemas"]["ProductRow"] = { id: "red", title: "Red again" };
assert.ok(source.url);
const queued = await shop.PUT("/v1/admin/products", { body: [row], headers });
const jobId = queued.data?.job_id as string;
const job = await shop.GET("/v1/admin/jobs/{job_id}", { params: { path: { job_id: jobId } }, headers });
assert.equal(job.data?.total, 1);
console.log("openapi-typescript: filtered search, upload, upsert and its job");
