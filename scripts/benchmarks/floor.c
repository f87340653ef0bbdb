/* The floor: a server that does nothing but send() one prebuilt frame to every connection.
 *
 *   floor --size BYTES --rate FRAMES_PER_SECOND --seconds SECONDS        (rate 0: saturation)
 *
 * Listens on a free port of loopback and prints it. Each frame carries a fresh time stamp.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire.h"

#define CLIENTS_MAX 65536
#define FRAME_BYTES_MAX (1 << 20)
#define STALL_MS 1000

static int clients[CLIENTS_MAX], client_count;
static unsigned char frame[FRAME_BYTES_MAX + 16];
static const char answer[] =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: " WS_ACCEPT "\r\n\r\n";

static void forget(int fd) {
    for (int i = 0; i < client_count; i++) {
        if (clients[i] == fd) {
            clients[i] = clients[--client_count];
            break;
        }
    }
    close(fd);
}

static void greet(int fd) {
    char request[8192];
    ssize_t got = recv(fd, request, sizeof request, 0);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN) forget(fd);
    } else if (got > 4 && memcmp(request, "GET ", 4) == 0 && client_count < CLIENTS_MAX) {
        if (send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL) > 0) clients[client_count++] = fd;
    }
}

static void welcome(int epoll, int listener) {
    int fd, one = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    }
}

/* One send(); only where the kernel took a part, the rest once there is room. */
static void send_whole(int fd, size_t length) {
    size_t sent = 0;
    while (sent < length) {
        ssize_t took = send(fd, frame + sent, length - sent, MSG_NOSIGNAL);
        if (took > 0) {
            sent += (size_t)took;
        } else if (errno == EAGAIN) {
            struct pollfd room = {.fd = fd, .events = POLLOUT};
            if (poll(&room, 1, STALL_MS) <= 0) return;
        } else {
            return; /* it is gone; epoll will tell */
        }
    }
}

static void broadcast(size_t size) {
    char stamp[64];
    size_t header = put_header(frame, OP_TEXT, size);
    size_t wrote = (size_t)snprintf(stamp, sizeof stamp, "{\"title\":\"" STAMP "%llu ",
                                    (unsigned long long)clock_ns(CLOCK_REALTIME));
    memcpy(frame + header, stamp, wrote);
    memset(frame + header + wrote, 'x', size - wrote - 2);
    memcpy(frame + header + size - 2, "\"}", 2);
    for (int i = 0; i < client_count; i++) send_whole(clients[i], header + size);
}

static int listening(int *port) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, 4096) < 0 ||
        getsockname(fd, (struct sockaddr *)&at, &length) < 0) {
        perror("floor: cannot listen");
        exit(1);
    }
    *port = ntohs(at.sin_port);
    return fd;
}

/* How long to wait for input: not at all where a frame is due. */
static int patience_ms(double rate, uint64_t now, uint64_t due) {
    if (client_count == 0) return 50;
    if (rate <= 0 || now >= due) return 0;
    return (int)((due - now) / 1000000) + 1;
}

static void run(int listener, size_t size, double rate, double seconds) {
    struct epoll_event events[512], event = {.events = EPOLLIN, .data.fd = listener};
    int epoll = epoll_create1(0);
    uint64_t due = clock_ns(CLOCK_MONOTONIC), end = due + (uint64_t)(seconds * 1e9), now;
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    while ((now = clock_ns(CLOCK_MONOTONIC)) < end) {
        int count = epoll_wait(epoll, events, 512, patience_ms(rate, now, due));
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == listener) welcome(epoll, listener);
            else greet(events[i].data.fd);
        }
        now = clock_ns(CLOCK_MONOTONIC);
        if (client_count == 0 || (rate > 0 && now < due)) continue;
        broadcast(size);
        if (rate > 0) due = (due + 1000000000ull < now ? now : due) + (uint64_t)(1e9 / rate);
    }
}

int main(int count, char **words) {
    static const struct option options[] = {{"size", 1, 0, 's'}, {"rate", 1, 0, 'r'},
                                            {"seconds", 1, 0, 'd'}, {0, 0, 0, 0}};
    double rate = 0, seconds = 60;
    long size = 1024;
    int option, port;
    while ((option = getopt_long(count, words, "", options, NULL)) != -1) {
        if (option == 's') size = atol(optarg);
        else if (option == 'r') rate = atof(optarg);
        else if (option == 'd') seconds = atof(optarg);
        else return 2;
    }
    if (size < 64 || size > FRAME_BYTES_MAX) {
        fprintf(stderr, "floor: --size is 64 to %d\n", FRAME_BYTES_MAX);
        return 2;
    }
    raise_descriptors();
    int listener = listening(&port);
    printf("{\"pid\":%d,\"port\":%d}\n", (int)getpid(), port);
    fflush(stdout);
    run(listener, (size_t)size, rate, seconds);
    printf("{\"cpu_seconds\":%.3f}\n", own_cpu_seconds());
    return 0;
}
