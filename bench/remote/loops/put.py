"""The loop that people write with boto3: every file, one after the other."""

import mimetypes
import os

import boto3
from botocore.config import Config

source = os.environ["BENCH_SOURCE"]
client = boto3.client(
    "s3",
    endpoint_url=os.environ["BENCH_ENDPOINT"],
    region_name=os.environ["AWS_REGION"],
    config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
)
for folder, _, files in os.walk(source):
    for file in files:
        path = os.path.join(folder, file)
        with open(path, "rb") as body:
            client.put_object(
                Bucket=os.environ["BENCH_BUCKET"],
                Key=os.path.relpath(path, source),
                Body=body,
                ContentType=mimetypes.guess_type(path)[0] or "application/octet-stream",
                CacheControl="max-age=86400",
            )
