"""Clients are read into one buffer, a little at a time."""

import threading


def test_what_many_send_at_once_does_not_mix(serve, until):
    """One buffer serves them all."""
    dial, wrong = serve(), []

    def talk(number: int) -> None:
        sock = dial()
        for size in (10, 100_000, 1_000_000):
            head = b"POST /%d HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n"
            sock.sendall(head % (number, size) + b"a" * size)
            said = b"</%d %d>" % (number, size)
            if not until(sock, said).endswith(said):
                wrong.append(said)

    threads = [threading.Thread(target=talk, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []
