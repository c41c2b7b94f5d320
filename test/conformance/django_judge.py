"""What real Django does with a folder of static files; asked by django.test.ts.

    python3 django_judge.py collect|read < job.json

The job names the folders: `root` is STATIC_ROOT, `source` what is collected into it.
"""

import json
import sys

import django
from django.conf import settings
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.core.exceptions import SuspiciousFileOperation


class ForgivingStorage(ManifestStaticFilesStorage):
    """Leaves a reference to a missing file as it is, where Django's own would stop."""

    def url_converter(self, *args, **kwargs):
        convert = super().url_converter(*args, **kwargs)

        def forgiving(match):
            try:
                return convert(match)
            except (ValueError, SuspiciousFileOperation):
                return match.group(0)

        return forgiving


def collect(job):
    """Collects `source` into `root`."""
    from django.core.management import call_command

    call_command("collectstatic", verbosity=0, interactive=False)


def read(job):
    """What a site answers that finds the manifest in `root`, its keys in their order."""
    from django.contrib.staticfiles.storage import staticfiles_storage as storage
    from django.core.files.base import ContentFile

    paths = storage.hashed_files
    # As Django 4.2 and later compute it, by the functions of the Django that is here.
    pairs = ContentFile(json.dumps(sorted(paths.items())).encode())
    return {
        "paths": paths,
        "stored": {name: storage.stored_name(name) for name in paths},
        "urls": {name: storage.url(name) for name in paths},
        "hash": storage.file_hash(None, pairs),
    }


job = json.load(sys.stdin)
backend = "ForgivingStorage" if job.get("forgiving") else "ManifestStaticFilesStorage"
backend = f"{__name__}.{backend}"
settings.configure(
    DEBUG=False,
    INSTALLED_APPS=["django.contrib.staticfiles"],
    SECRET_KEY="no secret",
    STATIC_URL="/static/",
    STATIC_ROOT=job["root"],
    STATICFILES_DIRS=[job["source"]] if "source" in job else [],
    **(
        {"STATICFILES_STORAGE": backend}
        if django.VERSION < (4, 2)
        else {"STORAGES": {"staticfiles": {"BACKEND": backend}}}
    ),
)
django.setup()
json.dump({"collect": collect, "read": read}[sys.argv[1]](job), sys.stdout)
