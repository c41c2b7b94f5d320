"""A site that has but static files; the folders come from the environment."""

import os

import django

MANIFEST = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"

SECRET_KEY = "no secret"
INSTALLED_APPS = ["django.contrib.staticfiles"]
STATIC_URL = "/static/"
STATIC_ROOT = os.environ["BENCH_TARGET"]
STATICFILES_DIRS = [os.environ["BENCH_SOURCE"]]
STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
if django.VERSION < (4, 2):
    STATICFILES_STORAGE = MANIFEST
else:
    STORAGES = {"staticfiles": {"BACKEND": MANIFEST}}
