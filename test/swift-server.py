"""OpenStack Swift with its S3 API, on free ports of this machine.

Prints a line of JSON when it answers, {"endpoint": ..., "region": ...}, and runs until standard input
ends, or a signal ends it. Everything it writes lies in a temporary folder, and it runs as anybody.
Needs Debian's swift-proxy, swift-account, swift-container, swift-object and memcached.
"""
import ctypes
import json
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.error
import urllib.request

from swift.common import constraints, storage_policy, utils, wsgi
from swift.common.ring import RingBuilder

KINDS = ['account', 'container', 'object']
# The accounts' users as Swift's tempauth takes them: the second one has no rights at all.
USERS = """
user_test_tester = testing .admin
user_test_reader = reading
"""
PIPELINE = 'catch_errors cache bulk s3api tempauth slo copy dlo proxy-server'
FILTERS = {'cache': 'memcache'}


def free_ports(count):
    """Below those that systems give to connections and to whoever asks for any."""
    sockets = []
    while len(sockets) < count:
        try:
            sockets.append(socket.create_server(('127.0.0.1', random.randrange(15000, 32000))))
        except OSError:
            continue  # it is somebody's
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def common(root, port):
    return f"""
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
swift_dir = {root}
devices = {root}/devices
mount_check = false
disable_fallocate = true
fallocate_reserve = 0
workers = 0
user = {pwd.getpwuid(os.getuid()).pw_name}
log_level = WARNING
"""


def node_settings(root, kind, port):
    return f"""{common(root, port)}
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""


def proxy_settings(root, port, memcached_port):
    filters = {
        'cache': f'memcache_servers = 127.0.0.1:{memcached_port}',
        's3api': 'location = us-east-1',
        'tempauth': USERS,
    }
    sections = ''.join(
        f'[filter:{name}]\nuse = egg:swift#{FILTERS.get(name, name)}\n{filters.get(name, "")}\n'
        for name in PIPELINE.split()[:-1]
    )
    return f"""{common(root, port)}
[pipeline:main]
pipeline = {PIPELINE}
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
# There is one server of each kind: one that is slow cannot be left out for a minute.
error_suppression_limit = 1000000
conn_timeout = 10
node_timeout = 60
{sections}"""


def write(path, text):
    with open(path, 'w') as file:
        file.write(text)


def write_ring(root, kind, port):
    builder = RingBuilder(part_power=4, replicas=1, min_part_hours=1)
    builder.add_dev({
        'region': 1, 'zone': 1, 'ip': '127.0.0.1', 'port': port,
        'replication_ip': '127.0.0.1', 'replication_port': port,
        'device': 'd1', 'weight': 1.0, 'meta': '',
    })
    builder.rebalance()
    builder.get_ring().save(f'{root}/{kind}.ring.gz')


def configure(root, ports, proxy_port, memcached_port):
    os.makedirs(f'{root}/devices/d1', exist_ok=True)
    try:
        os.setxattr(f'{root}/devices/d1', 'user.staticfiles', b'1')
    except OSError as error:
        sys.exit(f'Swift needs extended attributes, which {root} has not: {error}. Set TMPDIR.')
    for kind, port in zip(KINDS, ports):
        write_ring(root, kind, port)
        write(f'{root}/{kind}.conf', node_settings(root, kind, port))
    write(f'{root}/proxy.conf', proxy_settings(root, proxy_port, memcached_port))


def end_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: also where that was killed


def start_server(root, kind, log):
    pid = os.fork()
    if pid:
        return pid
    try:
        end_with_parent()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        wsgi.run_wsgi(f'{root}/{kind}.conf', f'{kind}-server', verbose=True)
    except BaseException:
        traceback.print_exc()
    os._exit(1)


def start_memcached(port, log):
    user = ['-u', 'root'] if os.getuid() == 0 else []
    return subprocess.Popen(
        ['memcached', *user, '-l', '127.0.0.1', '-p', str(port), '-U', '0'],
        stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=end_with_parent,
    ).pid


def answers(port):
    """Whether a server of HTTP answers, whatever it says: it listens long before."""
    try:
        urllib.request.urlopen(f'http://127.0.0.1:{port}/', timeout=5).close()
        return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def wait_for(ports, pids):
    for _ in range(1200):
        if all(answers(port) for port in ports):
            return True
        if any(os.waitpid(pid, os.WNOHANG) != (0, 0) for pid in pids):
            return False
        time.sleep(0.05)
    return False


def end(pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass  # it has ended already


def main(root):
    write(f'{root}/swift.conf', '[swift-hash]\nswift_hash_path_suffix = tests\n')
    utils.set_swift_dir(root)  # not /etc/swift, which is the machine's
    storage_policy.reload_storage_policies()
    constraints.reload_constraints()
    *ports, proxy_port, memcached_port = free_ports(5)
    configure(root, ports, proxy_port, memcached_port)
    log = os.open(f'{root}/log', os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    endpoint = f'http://127.0.0.1:{proxy_port}'
    pids = [start_memcached(memcached_port, log)]
    try:
        pids += [start_server(root, kind, log) for kind in [*KINDS, 'proxy']]
        if not wait_for([*ports, proxy_port], pids):
            with open(f'{root}/log') as file:
                sys.exit(f'Swift did not start:\n{file.read()[-4000:]}')
        print(json.dumps({'endpoint': endpoint, 'region': 'us-east-1'}), flush=True)
        sys.stdin.read()
    finally:
        end(pids)


if __name__ == '__main__':
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    folder = tempfile.mkdtemp(prefix='staticfiles-swift-')
    try:
        main(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
