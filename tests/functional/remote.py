"""What remote access needs: certificates made on the spot with certtool, clients that speak TLS
or plain TCP themselves, and the passing of sockets as a service manager does it."""

import contextlib
import random
import socket
import ssl
import subprocess
import sys

import harness
import rpc

_TEMPLATES = {
    'ca': 'cn = "Test CA"\nca\ncert_signing_key\ncrl_signing_key\n',
    'server': 'organization = Example\ncn = "localhost"\ndns_name = "localhost"\n'
              'ip_address = "127.0.0.1"\nip_address = "::1"\ntls_www_server\nencryption_key\nsigning_key\n',
    'client': 'organization = Example\ncn = "%s"\ntls_www_client\nencryption_key\nsigning_key\n',
}


def _certtool(*words):
    subprocess.run(['certtool', *map(str, words)], stdin=subprocess.DEVNULL,
                   capture_output=True, check=True)


class Authority:
    """A CA with all that it has signed in one folder; the names are those that clients look
    for below ?pkipath= (cacert.pem, clientcert.pem, clientkey.pem)."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True)
        self.key, self.cert = folder / 'cakey.pem', folder / 'cacert.pem'
        self.make_key(self.key)
        template = folder / 'ca.template'
        template.write_text(_TEMPLATES['ca'] + 'expiration_days = 30\n')
        _certtool('--generate-self-signed', '--load-privkey', self.key, '--template', template,
                  '--outfile', self.cert)

    @staticmethod
    def make_key(path):
        _certtool('--generate-privkey', '--key-type', 'rsa', '--bits', '2048', '--outfile', path)

    def issue(self, kind, name='localhost', folder=None, lines='expiration_days = 30\n'):
        """Makes KINDcert.pem and KINDkey.pem in the folder."""
        folder = folder or self.folder
        folder.mkdir(parents=True, exist_ok=True)
        cert, key, template = (folder / (kind + end) for end in ('cert.pem', 'key.pem', '.template'))
        text = _TEMPLATES[kind]
        template.write_text((text % name if '%s' in text else text) + lines)
        self.make_key(key)
        _certtool('--generate-certificate', '--load-privkey', key, '--load-ca-certificate', self.cert,
                  '--load-ca-privkey', self.key, '--template', template, '--outfile', cert)
        return folder

    def issue_client(self, name, folder):
        """A folder for ?pkipath= with this authority and a client of that name."""
        self.issue('client', name, folder)
        (folder / 'cacert.pem').write_bytes(self.cert.read_bytes())
        return folder

    def revoke(self, cert, crl):
        template = self.folder / 'crl.template'
        template.write_text('crl_next_update = 30\n')
        _certtool('--generate-crl', '--load-ca-privkey', self.key, '--load-ca-certificate', self.cert,
                  '--load-certificate', cert, '--template', template, '--outfile', crl)


# Below those that the kernel gives to connections: nobody else takes one in between.
_PORTS = random.sample(range(10000, 30000), 20000)


def free_port():
    while True:
        port = _PORTS.pop()
        with contextlib.suppress(OSError), socket.create_server(('127.0.0.1', port)):
            return port


def tcp_socket(port, host='127.0.0.1'):
    return socket.create_connection((host, port), timeout=harness.PATIENCE_S)


class TcpClient(rpc.Client):
    def __init__(self, port, host='127.0.0.1'):
        super().__init__(tcp_socket(port, host))


class TlsClient(rpc.Client):
    """pki: a folder of Authority.issue_client(); with_certificate False shows none."""

    def __init__(self, port, pki, host='127.0.0.1', with_certificate=True):
        context = ssl.create_default_context(cafile=str(pki / 'cacert.pem'))
        if with_certificate:
            context.load_cert_chain(pki / 'clientcert.pem', pki / 'clientkey.pem')
        plain = tcp_socket(port, host)
        try:
            super().__init__(context.wrap_socket(plain, server_hostname='localhost'))
            # The daemon says that it has accepted the certificate.
            assert self._receive_exactly(1) == b'\1'
        except BaseException:
            plain.close()
            self.close()
            raise


# Listens at ports of 127.0.0.1 and runs PROGRAM with the sockets, as systemd does: they are
# descriptors 3 and above, and LISTEN_PID is the program's own.
_PASS_SOCKETS = '''
import os, socket, sys
names, ports = sys.argv[1].split(':'), sys.argv[2].split(':')
kept = [socket.create_server(('127.0.0.1', int(port))) for port in ports]
for target, listener in enumerate(kept, 3):
    if listener.fileno() == target:
        os.set_inheritable(target, True)
    else:
        os.dup2(listener.fileno(), target)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(ports)),
                  LISTEN_FDNAMES=':'.join(names))
os.execv(sys.argv[3], sys.argv[3:])
'''


def passing(**ports):
    """A wrapper for harness.Daemon: sockets by name, '_' for '-'."""
    names = [name.replace('_', '-') for name in ports]
    return [sys.executable, '-c', _PASS_SOCKETS, ':'.join(names),
            ':'.join(map(str, ports.values()))]
