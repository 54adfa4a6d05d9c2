# Usage: smtp_aiosmtpd.py PORT smtp|lmtp [CERT KEY]. With a certificate it offers STARTTLS, and AUTH inside it alone.
import asyncio
import ssl
import sys

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, AuthResult

context = None
if len(sys.argv) > 3:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*sys.argv[3:5])
protocol = LMTP if sys.argv[2] == "lmtp" else SMTP


def serve():
    return protocol(
        object(), hostname="mx.aiosmtpd.test", tls_context=context,
        authenticator=lambda *_: AuthResult(success=False),
    )


async def main():
    server = await asyncio.get_running_loop().create_server(serve, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


asyncio.run(main())
