#!/bin/sh
# What fills a folder: runner enqueue disk-report --dir /var --follow
#
# The fields of the payload are given as --name value, and as JSON on stdin. What is printed goes to the log of the
# job. Exit code 0: done. 75: try again later, if attempts are left. Any other: failed, with stderr as the reason.
set -eu

fail() { # <exit code> <reason>
  echo "$2" >&2
  exit "$1"
}

dir=.
while [ $# -gt 0 ]; do
  case $1 in
    --dir) dir=$2; shift 2 ;;
    --*) [ $# -gt 1 ] && shift; shift ;; # some other field of the payload
    *) shift ;;
  esac
done

# A volume that is not mounted yet may come; what is no folder will not become one.
[ -e "$dir" ] || fail 75 "$dir is not there"
[ -d "$dir" ] || fail 1 "$dir is not a folder"

echo "job ${RUNNER_JOB_ID:-?} asks for $(cat)"
du -k -d 1 -- "$dir" | sort -rn | head -n 11
df -Pk -- "$dir" | awk 'NR == 2 { print $4 " KiB free, " $5 " used" }'
