// Bounds what the kernel keeps of a listening socket's connections before they are read (receive-buffer.ts). Stands in
// the same addon as the kernels because a second one would have to be built, shipped and loaded for these few lines.
#include "../../kernels/native/arguments.h"

#ifndef _WIN32
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

namespace {

constexpr int MOST_DESCRIPTORS = 65536;

bool listensAt(int descriptor, int port) {
  int listens = 0;
  socklen_t length = sizeof(listens);
  if (getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) != 0 || listens == 0) return false;
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) return false;
  if (address.ss_family == AF_INET) return ntohs(reinterpret_cast<sockaddr_in&>(address).sin_port) == port;
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<sockaddr_in6&>(address).sin6_port) == port;
  return false;
}

// limitReceiveBuffer(port, bytes): whether a socket of this process listens there and took it
napi_value limitReceiveBuffer(Arguments& a) {
  const int port = a.integer(0, 1);
  const int bytes = a.integer(1, 1);
  const int64_t limit = std::min<int64_t>(sysconf(_SC_OPEN_MAX), MOST_DESCRIPTORS);
  for (int descriptor = 0; descriptor < limit; descriptor++) {
    if (!listensAt(descriptor, port)) continue;
    const bool taken = setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)) == 0;
    return Napi::Boolean::New(a.env(), taken);
  }
  return Napi::Boolean::New(a.env(), false);
}

}  // namespace

void bindReceiveBuffer(Napi::Object exports) { define<limitReceiveBuffer>(exports, "limitReceiveBuffer"); }
#else
void bindReceiveBuffer(Napi::Object) {}
#endif
