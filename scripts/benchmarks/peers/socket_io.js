// Socket.IO with its Redis adapter, as its documentation sets it up: what any node emits through
// Redis goes to every client of this one. Started by peer_servers.py; prints where it listens.
import { createServer } from "node:http";
import { createAdapter } from "@socket.io/redis-adapter";
import { createClient } from "redis";
import { Server } from "socket.io";

const publisher = createClient({ url: process.argv[2] });
const subscriber = publisher.duplicate();
await Promise.all([publisher.connect(), subscriber.connect()]);

const http = createServer();
new Server(http, {
    adapter: createAdapter(publisher, subscriber),
    transports: ["websocket"],
    perMessageDeflate: false,
    serveClient: false,
});
http.listen(0, "127.0.0.1", 2048, () => {
    console.log(JSON.stringify({ pid: process.pid, port: http.address().port }));
});
process.stdin.resume().on("end", () => process.exit(0));
