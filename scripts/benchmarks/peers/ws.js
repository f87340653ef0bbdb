// The ws library alone: what is published in Redis is sent to every client at once, as the bytes
// that came. Started by peer_servers.py; prints where it listens.
import { createServer } from "node:http";
import { createClient } from "redis";
import { WebSocketServer } from "ws";

const http = createServer();
const server = new WebSocketServer({ server: http, perMessageDeflate: false });
const subscriber = createClient({ url: process.argv[2] });
await subscriber.connect();
const asBuffer = true;
await subscriber.subscribe("board", (bytes) => {
    for (const client of server.clients) client.send(bytes, { binary: false });
}, asBuffer);
http.listen(0, "127.0.0.1", 2048, () => {
    console.log(JSON.stringify({ pid: process.pid, port: http.address().port }));
});
process.stdin.resume().on("end", () => process.exit(0));
