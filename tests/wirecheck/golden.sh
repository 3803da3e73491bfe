#!/bin/sh
# Writes golden bytes with Kafka's own classes. Needs JDK 17 or later and Maven.
#   golden.sh                  rewrites golden-4.4.0.jsonl.gz
#   golden.sh SEED INSTANCES   writes that many random instances per message and version to standard output
#   golden.sh judge            judges damaged bytes from standard input: damage 1 50000 | golden.sh judge | check_verdicts
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mvn -q -B -f "$here/java/pom.xml" dependency:build-classpath -Dmdep.outputFile="$work/classpath" >&2
classpath="$work:$(cat "$work/classpath")"
javac -d "$work" -cp "$classpath" "$here"/java/*.java
golden() { java -cp "$classpath" Golden "$here/../../tools/wiregen/wanted.txt" "$1" "$2"; }
if [ "${1-}" = judge ]; then
    java -cp "$classpath" Judge
elif [ $# -eq 2 ]; then
    golden "$1" "$2"
else
    golden 440 3 > "$work/golden.jsonl"
    gzip -9 -n < "$work/golden.jsonl" > "$here/golden-4.4.0.jsonl.gz"
    ls -l "$here/golden-4.4.0.jsonl.gz" >&2
fi
