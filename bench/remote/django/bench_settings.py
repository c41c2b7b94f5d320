"""A site that has but static files, in a store by django-storages; all else comes from the environment."""

import os

SECRET_KEY = "no secret"
USE_TZ = True
INSTALLED_APPS = ["django.contrib.staticfiles"]
STATIC_URL = "/static/"
STATICFILES_DIRS = [os.environ["BENCH_SOURCE"]]
STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
STATICFILES_STORAGE = f"storages.backends.s3boto3.{os.environ['BENCH_STORAGE']}"

AWS_S3_ENDPOINT_URL = os.environ["BENCH_ENDPOINT"]
AWS_STORAGE_BUCKET_NAME = os.environ["BENCH_BUCKET"]
AWS_S3_ADDRESSING_STYLE = "path"
AWS_S3_SIGNATURE_VERSION = "s3v4"
AWS_S3_REGION_NAME = os.environ["AWS_REGION"]
AWS_S3_OBJECT_PARAMETERS = {"CacheControl": "max-age=86400"}
AWS_DEFAULT_ACL = None
