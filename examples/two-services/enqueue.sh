#!/bin/sh
# Puts one job into the queue: the start-up script. A job is a file whose text is what to do; it is written aside and
# renamed, so that the worker never reads half of one.
set -eu
queue=$1
job=$(mktemp "$queue/.job-XXXXXX")
echo "greet the world, because the instance was processed" > "$job"
mv "$job" "$queue/start-$$.job"
