"""A transparent proxy that only says whom it has: listens with IP_TRANSPARENT on a port, answers as lab/servers.ts does."""
import json, socket, sys, threading

IP_TRANSPARENT = 19
listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.setsockopt(socket.SOL_IP, IP_TRANSPARENT, 1)
listener.bind(("0.0.0.0", int(sys.argv[1])))
listener.listen()
print("ready", flush=True)
# Ends with the test that started it, however that ends: its end of the pipe closes.
threading.Thread(target=lambda: (sys.stdin.read(), listener.shutdown(socket.SHUT_RDWR)), daemon=True).start()
while True:
    try:
        connection, (peer, peer_port) = listener.accept()
    except OSError:
        break
    with connection:
        local, local_port = connection.getsockname()
        answer = {"server": "proxy", "seen": peer, "seenPort": peer_port, "local": local, "localPort": local_port}
        connection.sendall((json.dumps(answer) + "\n").encode())
        connection.recv(1)
