"""Messages as the bytes of HTTP/1."""


def assemble_request(request):
    """Returns a request as bytes. A ValueError says that its body was not recorded."""
    return _whole(assemble_request_head(request), request)


def assemble_response(response):
    """Returns a response as bytes. A ValueError says that its body was not recorded."""
    return _whole(assemble_response_head(response), response)


def _whole(head, message):
    content = message.raw_content
    if content is None:
        raise ValueError("Cannot assemble flow with missing content")
    return head + b"".join(assemble_body(message.headers, [content], message.trailers))


def assemble_request_head(request):
    """Returns the first line and the headers of a request as bytes."""
    data = request.data
    return b"%s\r\n%s\r\n" % (_assemble_request_line(data), _assemble_request_headers(data))


def assemble_response_head(response):
    """Returns the first line and the headers of a response as bytes."""
    return b"%s\r\n%s\r\n" % (_assemble_response_line(response.data), _assemble_response_headers(response))


def assemble_body(headers, body_chunks, trailers):
    """Yields a body as bytes, in chunks if the headers say so.

    A ValueError says that there are trailers, which no other body can have.
    """
    if "chunked" not in headers.get("transfer-encoding", "").lower():
        if trailers:
            raise ValueError("Sending HTTP/1.1 trailer headers requires transfer-encoding: chunked")
        for chunk in body_chunks:
            yield chunk
        return
    for chunk in body_chunks:
        if chunk:
            yield b"%x\r\n%s\r\n" % (len(chunk), chunk)
    yield b"0\r\n%s\r\n" % bytes(trailers or b"")


def _assemble_request_line(request_data):
    method, path = request_data.method, request_data.path
    if method.upper() == b"CONNECT":
        target = request_data.authority
    elif request_data.authority:
        target = b"%s://%s%s" % (request_data.scheme, request_data.authority, path)
    else:
        target = path
    return b"%s %s %s" % (method, target, request_data.http_version)


def _assemble_request_headers(request_data):
    return bytes(request_data.headers)


def _assemble_response_line(response_data):
    return b"%s %d %s" % (response_data.http_version, response_data.status_code, response_data.reason)


def _assemble_response_headers(response):
    return bytes(response.headers)
