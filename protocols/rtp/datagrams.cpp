// The machine's UDP for hundreds of calls (native-network.ts): all sockets stand behind one epoll descriptor, which the
// event loop watches as one handle, so that what has come for many calls is read in one turn and crosses into
// JavaScript once. Stands in the same addon as the kernels because a second one would have to be built, shipped and
// loaded.
#include "../../kernels/native/arguments.h"

#ifdef __linux__
#include <netdb.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <unordered_map>
#include <vector>

namespace {

// Of one socket in one reading, so that a flood gives way to others; what is left is read in the next turn.
constexpr int OF_A_SOCKET = 4;
constexpr size_t LARGEST = 65536;
constexpr int COLUMNS = 4;

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;

  bool operator==(const Address& other) const {
    return length == other.length && memcmp(&storage, &other.storage, length) == 0;
  }
  // False: no numeric address of this family.
  bool read(const std::string& host, int port, int family) {
    addrinfo hints{};
    hints.ai_family = family;
    hints.ai_socktype = SOCK_DGRAM;
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_V4MAPPED;
    addrinfo* found = nullptr;
    if (getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return false;
    length = found->ai_addrlen;
    memcpy(&storage, found->ai_addr, length);
    freeaddrinfo(found);
    return true;
  }
  int port() const {
    if (storage.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(storage).sin6_port);
    return ntohs(reinterpret_cast<const sockaddr_in&>(storage).sin_port);
  }
  std::string host() const {
    char name[NI_MAXHOST] = "";
    getnameinfo(reinterpret_cast<const sockaddr*>(&storage), length, name, sizeof name, nullptr, 0, NI_NUMERICHOST);
    return name;
  }
};

struct Socket {
  int descriptor;
  int family;
  // From whom the last datagram came, and to whom the last one went.
  Address source, destination;
};

// One of each thread that has a network; its handle is closed when the thread's environment is.
struct Network {
  napi_env env;
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  uv_poll_t poll{};
  Napi::FunctionReference onReadable;
  std::unique_ptr<Napi::AsyncContext> context;
  napi_async_cleanup_hook_handle hook = nullptr;
  std::unordered_map<uint32_t, Socket> sockets;
  uint32_t lastId = 0;
  // Of the datagrams that were read last.
  std::vector<Address> sources;
  std::unique_ptr<uint8_t[]> room{new uint8_t[OF_A_SOCKET * LARGEST]};

  ~Network() {
    for (auto& [id, socket] : sockets) close(socket.descriptor);
    close(epoll);
  }
};

struct NetworkHandle : Handle {
  static constexpr uint32_t TAG = 0x44475241;
  Network& network;
  explicit NetworkHandle(Network& one) : Handle(TAG), network(one) {}
};

void readable(uv_poll_t* poll, int, int) {
  auto& network = *static_cast<Network*>(poll->data);
  Napi::HandleScope scope(network.env);
  try {
    network.onReadable.MakeCallback(Napi::Env(network.env).Global(), std::initializer_list<napi_value>{},
                                    *network.context);
  } catch (const Napi::Error& error) {
    napi_fatal_exception(network.env, error.Value());
  }
}

void environmentCloses(napi_async_cleanup_hook_handle, void* data) {
  uv_close(reinterpret_cast<uv_handle_t*>(&static_cast<Network*>(data)->poll), [](uv_handle_t* poll) {
    auto network = static_cast<Network*>(poll->data);
    const auto hook = network->hook;
    delete network;  // Its references, while there is an environment.
    napi_remove_async_cleanup_hook(hook);
  });
}

// openDatagrams(onReadable) → handle
napi_value openDatagrams(Arguments& a) {
  auto network = std::make_unique<Network>();
  network->env = a.env();
  uv_loop_s* loop = nullptr;
  if (network->epoll < 0 || napi_get_uv_event_loop(a.env(), &loop) != napi_ok ||
      uv_poll_init(loop, &network->poll, network->epoll) != 0)
    throw std::runtime_error("no event loop");
  network->poll.data = network.get();
  network->onReadable = Napi::Persistent(Napi::Function(a.env(), a.at(0)));
  network->context = std::make_unique<Napi::AsyncContext>(a.env(), "datagrams");
  napi_add_async_cleanup_hook(a.env(), environmentCloses, network.get(), &network->hook);
  Network& kept = *network.release();
  return a.give(std::make_unique<NetworkHandle>(kept), sizeof(Network) + OF_A_SOCKET * LARGEST);
}

// bindDatagram(handle, host, port, receiveBufferBytes, out [id, port]) → 0, or the system's error number
napi_value bindDatagram(Arguments& a) {
  auto& network = a.handle<NetworkHandle>(0).network;
  const std::string host = Napi::String(a.env(), a.at(1)).Utf8Value();
  const int port = a.integer(2);
  const int bufferBytes = a.integer(3, 1);
  int32_t* out = a.integers(4, 2);
  const int family = host.find(':') == std::string::npos ? AF_INET : AF_INET6;
  Address local;
  if (port > 65535 || !local.read(host, port, family)) return toNumber(a, EINVAL);
  const int descriptor = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return toNumber(a, errno);
  setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bufferBytes, sizeof bufferBytes);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u32 = ++network.lastId;
  if (bind(descriptor, reinterpret_cast<sockaddr*>(&local.storage), local.length) != 0 ||
      getsockname(descriptor, reinterpret_cast<sockaddr*>(&local.storage), &local.length) != 0 ||
      epoll_ctl(network.epoll, EPOLL_CTL_ADD, descriptor, &event) != 0) {
    const int error = errno;
    close(descriptor);
    return toNumber(a, error);
  }
  network.sockets[network.lastId] = {descriptor, family, {}, {}};
  if (network.sockets.size() == 1) uv_poll_start(&network.poll, UV_READABLE, readable);
  out[0] = static_cast<int32_t>(network.lastId);
  out[1] = local.port();
  return toNumber(a, 0);
}

// closeDatagram(handle, id)
napi_value closeDatagram(Arguments& a) {
  auto& network = a.handle<NetworkHandle>(0).network;
  const auto found = network.sockets.find(static_cast<uint32_t>(a.integer(1)));
  if (found == network.sockets.end()) return nullptr;
  close(found->second.descriptor);
  network.sockets.erase(found);
  // A process with nothing to wait for may exit.
  if (network.sockets.empty()) uv_poll_stop(&network.poll);
  return nullptr;
}

// sendDatagram(handle, id, bytes, host or null: as the last one, port); best effort, as the network is
napi_value sendDatagram(Arguments& a) {
  auto& network = a.handle<NetworkHandle>(0).network;
  const auto found = network.sockets.find(static_cast<uint32_t>(a.integer(1)));
  if (found == network.sockets.end()) return nullptr;
  auto& [descriptor, family, source, destination] = found->second;
  const size_t length = a.length(2);
  const uint8_t* bytes = a.bytes(2, length);
  if (!a.isNull(3)) {
    const std::string host = Napi::String(a.env(), a.at(3)).Utf8Value();
    if (!destination.read(host, a.integer(4), family)) destination.length = 0;
  }
  if (destination.length == 0) return nullptr;
  sendto(descriptor, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL,
         reinterpret_cast<const sockaddr*>(&destination.storage), destination.length);
  return nullptr;
}

int readSocket(Network& network, uint32_t id, uint8_t*& to, int32_t* row) {
  auto& socket = network.sockets.at(id);
  mmsghdr messages[OF_A_SOCKET]{};
  iovec vectors[OF_A_SOCKET];
  Address from[OF_A_SOCKET];
  for (int n = 0; n < OF_A_SOCKET; n++) {
    vectors[n] = {network.room.get() + n * LARGEST, LARGEST};
    messages[n].msg_hdr.msg_iov = &vectors[n];
    messages[n].msg_hdr.msg_iovlen = 1;
    messages[n].msg_hdr.msg_name = &from[n].storage;
    messages[n].msg_hdr.msg_namelen = sizeof from[n].storage;
  }
  const int count = recvmmsg(socket.descriptor, messages, OF_A_SOCKET, MSG_DONTWAIT, nullptr);
  for (int n = 0; n < count; n++, row += COLUMNS) {
    const size_t length = messages[n].msg_len;
    from[n].length = messages[n].msg_hdr.msg_namelen;
    row[0] = static_cast<int32_t>(id);
    row[1] = static_cast<int32_t>(length);
    row[2] = from[n] == socket.source;
    row[3] = from[n].port();
    socket.source = from[n];
    network.sources.push_back(from[n]);
    memcpy(to, vectors[n].iov_base, length);
    to += length;
  }
  return count < 0 ? 0 : count;
}

// receiveDatagrams(handle, out, at, rows [most × COLUMNS]) → how many. They lie one behind the other in `out` from `at`
// on; a row: socket, length, whether it is from whom the one before came, port.
napi_value receiveDatagrams(Arguments& a) {
  auto& network = a.handle<NetworkHandle>(0).network;
  const size_t size = a.length(1);
  const size_t at = a.integer(2);
  const int most = static_cast<int>(a.length(3) / COLUMNS);
  int32_t* rows = a.integers(3, most * COLUMNS);
  uint8_t* to = a.bytes(1, at) + at;
  const uint8_t* end = a.bytes(1, size) + size;
  network.sources.clear();
  epoll_event events[64];
  const int ready = epoll_wait(network.epoll, events, std::min(64, std::max(1, most / OF_A_SOCKET)), 0);
  int count = 0;
  for (int n = 0; n < ready; n++) {
    if (count + OF_A_SOCKET > most || to + OF_A_SOCKET * LARGEST > end) break;
    count += readSocket(network, events[n].data.u32, to, rows + count * COLUMNS);
  }
  return toNumber(a, count);
}

// datagramSource(handle, n) → the address of the n-th of those read last
napi_value datagramSource(Arguments& a) {
  auto& network = a.handle<NetworkHandle>(0).network;
  const size_t n = a.integer(1);
  if (n >= network.sources.size()) Arguments::fail(1, "not one of those read last");
  return Napi::String::New(a.env(), network.sources[n].host());
}

}  // namespace

void bindDatagrams(Napi::Object addon) {
  Napi::Object exports = Napi::Object::New(addon.Env());
  addon.Set("datagrams", exports);
  define<openDatagrams>(exports, "openDatagrams");
  define<bindDatagram>(exports, "bindDatagram");
  define<closeDatagram>(exports, "closeDatagram");
  define<sendDatagram>(exports, "sendDatagram");
  define<receiveDatagrams>(exports, "receiveDatagrams");
  define<datagramSource>(exports, "datagramSource");
}
#else
void bindDatagrams(Napi::Object) {}
#endif
