/* A WebSocket load client that costs almost nothing: one thread, one epoll, thousands of sockets.
 *
 * With --hello it speaks hub.v1: says hello, acknowledges, answers heartbeats. Without, it says
 * --greeting, if there is one, and any frame with data counts. Latency is read from time stamps that the servers write into texts ("ts=<ns>").
 * Prints {"phase":"open"} once all are connected and {"phase":"measured",…} at the end; with
 * --hold it keeps the sockets until its standard input is closed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include "seen.h"

#define HEAD_BYTES 256 /* kept of a frame that is not examined: its type, a heartbeat's id, deflated or not */
#define TEXT_BYTES_MAX (16u << 20)
#define STALLED_BUFFER_BYTES 8192
#define CONNECTING_MAX 64
#define CONNECT_TIMEOUT_NS 60000000000ull
#define FRESHNESS_NS 20000000ull

enum state { CONNECTING, GREETING, OPEN, CLOSED };
struct connection {
    int fd, header_have, opcode;
    enum state state;
    bool stalled, examined, finished, compressed;
    unsigned char header[10];
    uint64_t left; /* of the frame that is being read */
    char *text;    /* of the message that is being read */
    size_t text_have, text_room;
    uint64_t frames, acknowledged, unacknowledged_bytes;
    struct board board;
};

static struct {
    int port, clients, stalled, examine, server_pid, deflate, hold;
    double seconds, warm_s, ack_ms;
    long ack_bytes;
    const char *path, *hello, *greeting;
} told = {.clients = 1, .examine = 1, .seconds = 3, .warm_s = 1, .ack_ms = 250,
          .ack_bytes = 65536, .path = "/ws"};

static struct connection *connections;
static struct sockaddr_in server;
static int epoll, started, opened, closed, stalled_open;
static char request[2048], inflated[TEXT_BYTES_MAX];
static z_stream inflater;

static void watch(struct connection *c, int operation, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = c};
    epoll_ctl(epoll, operation, c->fd, &event);
}

static void let_go(struct connection *c) {
    if (c->state == CLOSED) return;
    if (c->stalled && c->state == OPEN) stalled_open--;
    c->state = CLOSED;
    closed++;
    close(c->fd);
    free(c->text);
    c->text = NULL;
}

/* A client's frames are masked; a mask of zeros leaves the bytes as they are. */
static bool tell(struct connection *c, int opcode, const char *text, size_t length) {
    unsigned char out[4096];
    if (length > sizeof out - 14) return false;
    size_t at = put_header(out, opcode, length);
    out[1] |= 0x80;
    memset(out + at, 0, 4);
    memcpy(out + at + 4, text, length);
    ssize_t sent = send(c->fd, out, at + 4 + length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) return false; /* no room: the next acknowledgement says more */
    if ((size_t)sent < at + 4 + length) let_go(c);
    return true;
}

static void acknowledge(struct connection *c) {
    char text[64];
    int length = snprintf(text, sizeof text, "{\"type\":\"ack\",\"frames\":%llu}",
                          (unsigned long long)c->frames);
    if (tell(c, OP_TEXT, text, (size_t)length)) {
        c->acknowledged = c->frames;
        c->unacknowledged_bytes = 0;
    }
}

static void answer_heartbeat(struct connection *c, const char *text, size_t length) {
    char id[80], pong[160];
    if (!quoted(text, length, "\"id\":\"", id, sizeof id)) return;
    int size = snprintf(pong, sizeof pong, "{\"type\":\"pong\",\"id\":\"%s\"}", id);
    tell(c, OP_TEXT, pong, (size_t)size);
}

/* Inflates what is kept of the message, of many clients its head; gives how much came of it, 0 where
   it cannot be read. */
static size_t inflate_text(struct connection *c) {
    static unsigned char tail[] = {0, 0, 0xff, 0xff};
    inflateReset(&inflater);
    inflater.next_out = (unsigned char *)inflated;
    inflater.avail_out = sizeof inflated;
    inflater.next_in = (unsigned char *)c->text;
    inflater.avail_in = (unsigned)c->text_have;
    if (inflate(&inflater, Z_SYNC_FLUSH) < 0) return 0;
    inflater.next_in = tail;
    inflater.avail_in = sizeof tail;
    inflate(&inflater, Z_SYNC_FLUSH);
    return sizeof inflated - inflater.avail_out;
}

static void take_message(struct connection *c) {
    const char *text = c->text;
    size_t length = c->text_have;
    if (c->compressed) {
        length = inflate_text(c);
        text = inflated;
    }
    enum lane lane = lane_of(text, length);
    if (told.hello != NULL) {
        c->frames++;
        if (is_type(text, length, "heartbeat")) answer_heartbeat(c, text, length);
        if (c->unacknowledged_bytes >= (uint64_t)told.ack_bytes) acknowledge(c);
    }
    if (c->examined) examine(&c->board, lane, text, length);
    if (measuring) {
        seen.frames[lane]++;
        seen.deflated += c->compressed;
    }
    c->board.heard_ns = wall_ns;
}

static void end_frame(struct connection *c) {
    if (c->opcode == OP_CLOSE) {
        let_go(c);
    } else if (c->opcode == OP_PING) {
        tell(c, OP_PONG, c->text, c->text_have < 125 ? c->text_have : 125);
    } else if ((c->opcode == OP_TEXT || c->opcode == OP_BINARY) && c->finished) {
        take_message(c);
    }
    if (c->state != CLOSED && c->finished) c->text_have = 0;
}

static void keep(struct connection *c, const unsigned char *bytes, size_t length) {
    size_t room = c->examined ? TEXT_BYTES_MAX : HEAD_BYTES;
    size_t want = c->text_have + length < room ? c->text_have + length : room;
    if (want > c->text_room) {
        c->text_room = want * 2;
        c->text = must(realloc(c->text, c->text_room));
    }
    memcpy(c->text + c->text_have, bytes, want - c->text_have);
    c->text_have = want;
}

static int header_size(const unsigned char *header, int have) {
    if (have < 2) return 2;
    int length = header[1] & 127;
    return length == 126 ? 4 : length == 127 ? 10 : 2;
}

static void begin_frame(struct connection *c) {
    int size = header_size(c->header, c->header_have);
    c->left = c->header[1] & 127;
    if (size > 2) c->left = 0;
    for (int i = 2; i < size; i++) c->left = c->left << 8 | c->header[i];
    c->finished = c->header[0] & 0x80;
    if ((c->header[0] & 15) != OP_CONTINUATION) {
        c->opcode = c->header[0] & 15;
        c->compressed = c->header[0] & 0x40;
    }
    if (measuring) seen.payload_bytes += c->left;
    if (c->opcode == OP_TEXT) c->unacknowledged_bytes += c->left;
}

/* Bytes of a stream of frames, in whatever pieces they come. */
static void feed(struct connection *c, const unsigned char *bytes, size_t length) {
    while (length > 0) {
        if (c->header_have >= 0) {
            c->header[c->header_have++] = *bytes++;
            length--;
            if (c->header_have < header_size(c->header, c->header_have)) continue;
            begin_frame(c);
            c->header_have = -1; /* the payload is next */
        }
        size_t part = length < c->left ? length : (size_t)c->left;
        keep(c, bytes, part);
        bytes += part;
        length -= part;
        c->left -= part;
        if (c->left > 0) return;
        end_frame(c);
        if (c->state == CLOSED) return;
        c->header_have = 0;
    }
}

static void begin_connection(int id) {
    struct connection *c = &connections[id];
    int one = 1, small = STALLED_BUFFER_BYTES;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (c->fd < 0) {
        perror("load: socket");
        exit(1);
    }
    long share = told.stalled, all = told.clients;
    c->stalled = (long)id * share / all != ((long)id + 1) * share / all;
    c->examined = !c->stalled && id % told.examine == 0;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (c->stalled) setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    watch(c, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT);
    if (connect(c->fd, (struct sockaddr *)&server, sizeof server) < 0 && errno != EINPROGRESS)
        let_go(c);
}

static void greet(struct connection *c) {
    size_t length = strlen(request);
    if (send(c->fd, request, length, MSG_NOSIGNAL) != (ssize_t)length) {
        let_go(c);
        return;
    }
    c->state = GREETING;
    watch(c, EPOLL_CTL_MOD, EPOLLIN);
}

/* The answer to the handshake; gives where the frames begin, or NULL. */
static unsigned char *take_answer(struct connection *c, unsigned char *bytes, size_t length) {
    unsigned char *end = memmem(bytes, length, "\r\n\r\n", 4);
    if (end == NULL || length < 12 || memcmp(bytes, "HTTP/1.1 101", 12) != 0 ||
        memmem(bytes, length, WS_ACCEPT, strlen(WS_ACCEPT)) == NULL) {
        if (closed == 0) fprintf(stderr, "load: refused: %.200s\n", (char *)bytes);
        let_go(c);
        return NULL;
    }
    c->state = OPEN;
    opened++;
    const char *first = told.hello != NULL ? told.hello : told.greeting;
    if (first != NULL) tell(c, OP_TEXT, first, strlen(first));
    if (c->stalled && c->state == OPEN) {
        stalled_open++;
        epoll_ctl(epoll, EPOLL_CTL_DEL, c->fd, NULL);
        return NULL;
    }
    return end + 4;
}

static void serve(struct connection *c, uint32_t events) {
    static unsigned char bytes[262145];
    if (c->state == CLOSED) return;
    if (c->state == CONNECTING) {
        if (events & (EPOLLERR | EPOLLHUP)) let_go(c);
        else if (events & EPOLLOUT) greet(c);
        return;
    }
    ssize_t got = recv(c->fd, bytes, sizeof bytes - 1, 0);
    if (got <= 0) {
        if (got == 0 || (errno != EAGAIN && errno != EINTR)) let_go(c);
        return;
    }
    bytes[got] = 0;
    wall_ns = clock_ns(CLOCK_REALTIME);
    unsigned char *begin = bytes;
    if (c->state == GREETING) begin = take_answer(c, bytes, (size_t)got);
    if (begin == NULL) return;
    size_t length = (size_t)(bytes + got - begin);
    if (measuring) seen.wire_bytes += length;
    feed(c, begin, length);
}

/* Acknowledges what waits; each connection has its turn once in --ack-ms. */
static void sweep(uint64_t now) {
    static uint64_t before;
    static double turn;
    if (before == 0) before = now;
    turn += (double)(now - before) / 1e6 / told.ack_ms * told.clients;
    before = now;
    if (turn > told.clients) turn = told.clients;
    static int next;
    for (; turn >= 1; turn--) {
        struct connection *c = &connections[next];
        next = (next + 1) % told.clients;
        if (c->state == OPEN && !c->stalled && c->frames > c->acknowledged) acknowledge(c);
    }
}

static void sample_freshness(uint64_t now) {
    static uint64_t due;
    if (!measuring || now < due) return;
    due = now + FRESHNESS_NS;
    uint64_t wall = clock_ns(CLOCK_REALTIME);
    for (int i = 0; i < started; i++) {
        struct connection *c = &connections[i];
        if (c->state == OPEN && c->examined && c->board.newest_ns)
            note(&seen.freshness, (double)(int64_t)(wall - c->board.newest_ns) / 1e6);
    }
}

static double server_cpu_seconds(void) {
    char path[64], line[1024];
    unsigned long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", told.server_pid);
    FILE *file = told.server_pid ? fopen(path, "r") : NULL;
    if (file == NULL) return 0;
    size_t got = fread(line, 1, sizeof line - 1, file);
    fclose(file);
    line[got] = 0;
    char *at = strrchr(line, ')'); /* the name may hold anything; field 3 is behind it */
    if (at == NULL || sscanf(at + 2, "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lu %lu", &user,
                             &system) != 2)
        return 0;
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static bool is_done(int ready, struct epoll_event *events) {
    bool done = false;
    for (int i = 0; i < ready; i++) {
        if (events[i].data.ptr != NULL) serve(events[i].data.ptr, events[i].events);
        else if (read(STDIN_FILENO, inflated, 1) <= 0) done = true;
    }
    return done;
}

/* Keeps everything going until a time, or (0) until the standard input ends. */
static void run_until(uint64_t end) {
    struct epoll_event events[1024];
    uint64_t now;
    while ((now = clock_ns(CLOCK_MONOTONIC)) < end || end == 0) {
        if (started == told.clients && closed >= started && end != 0) return;
        int ready = epoll_wait(epoll, events, 1024, 2);
        if (is_done(ready, events) && end == 0) return;
        if (told.hello != NULL) sweep(now);
        sample_freshness(now);
    }
}

static void connect_all(void) {
    uint64_t begin = clock_ns(CLOCK_MONOTONIC);
    while (opened + closed < told.clients || started < told.clients) {
        while (started < told.clients && started - opened - closed < CONNECTING_MAX)
            begin_connection(started++);
        uint64_t now = clock_ns(CLOCK_MONOTONIC);
        if (now - begin > CONNECT_TIMEOUT_NS) break;
        run_until(now + 1000000);
    }
    double seconds = (double)(clock_ns(CLOCK_MONOTONIC) - begin) / 1e9;
    printf("{\"phase\":\"open\",\"opened\":%d,\"closed\":%d,\"seconds\":%.3f}\n", opened, closed,
           seconds);
    fflush(stdout);
}

static void parse(int count, char **words) {
    static const struct option options[] = {
        {"port", 1, 0, 'p'},     {"clients", 1, 0, 'n'},    {"seconds", 1, 0, 'd'},
        {"warm", 1, 0, 'w'},     {"hello", 1, 0, 'h'},      {"path", 1, 0, 'u'},
        {"deflate", 0, 0, 'z'},  {"stalled", 1, 0, 'S'},    {"examine", 1, 0, 'e'},
        {"ack-ms", 1, 0, 'A'},   {"ack-bytes", 1, 0, 'a'},  {"server-pid", 1, 0, 'P'},
        {"skip", 1, 0, 'x'},     {"hold", 0, 0, 'H'},       {"greeting", 1, 0, 'g'},
        {0, 0, 0, 0}};
    int option;
    while ((option = getopt_long(count, words, "", options, NULL)) != -1) {
        switch (option) {
            case 'p': told.port = atoi(optarg); break;
            case 'n': told.clients = atoi(optarg); break;
            case 'd': told.seconds = atof(optarg); break;
            case 'w': told.warm_s = atof(optarg); break;
            case 'h': told.hello = optarg; break;
            case 'u': told.path = optarg; break;
            case 'z': told.deflate = 1; break;
            case 'S': told.stalled = atoi(optarg); break;
            case 'e': told.examine = atoi(optarg); break;
            case 'A': told.ack_ms = atof(optarg); break;
            case 'a': told.ack_bytes = atol(optarg); break;
            case 'P': told.server_pid = atoi(optarg); break;
            case 'x': skip = optarg; break;
            case 'H': told.hold = 1; break;
            case 'g': told.greeting = optarg; break;
            default: exit(2);
        }
    }
    if (told.port <= 0 || told.clients <= 0 || told.examine <= 0 || told.ack_ms <= 0) {
        fprintf(stderr, "load: --port, and more than nothing of each\n");
        exit(2);
    }
}

static void prepare(void) {
    static const char offer[] =
        "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
        "client_no_context_takeover\r\n";
    raise_descriptors();
    connections = must(calloc((size_t)told.clients, sizeof *connections));
    epoll = epoll_create1(0);
    server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)told.port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    snprintf(request, sizeof request,
             "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
             "Connection: Upgrade\r\nSec-WebSocket-Key: " WS_KEY "\r\n"
             "Sec-WebSocket-Version: 13\r\n%s%s\r\n",
             told.path, told.port, told.hello ? "Sec-WebSocket-Protocol: hub.v1.json\r\n" : "",
             told.deflate ? offer : "");
    inflateInit2(&inflater, -15);
    if (told.hold) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &event) < 0) told.hold = 0;
    }
}

int main(int count, char **words) {
    parse(count, words);
    speaks_hub = told.hello != NULL;
    prepare();
    connect_all();
    if (opened == 0) return 1;
    run_until(clock_ns(CLOCK_MONOTONIC) + (uint64_t)(told.warm_s * 1e9));
    double server_s = server_cpu_seconds(), own_s = own_cpu_seconds();
    uint64_t begin = clock_ns(CLOCK_MONOTONIC);
    measuring = true;
    run_until(begin + (uint64_t)(told.seconds * 1e9));
    measuring = false;
    printf("{\"phase\":\"measured\",\"opened\":%d,\"closed\":%d,\"stalled\":%d", opened, closed,
           stalled_open);
    report((double)(clock_ns(CLOCK_MONOTONIC) - begin) / 1e9, server_cpu_seconds() - server_s,
           own_cpu_seconds() - own_s);
    if (told.hold) run_until(0);
    return 0;
}
