#!/usr/bin/env bash
# @nats-io/transport-node 3.4.0 says it runs on Node >= 18, and does; but its dependency @nats-io/nuid 3.0.0 says >= 22. Among `dependencies`
# npm warns and installs all of it. Among `optionalDependencies` npm 11 on Node 20 leaves the whole client out, without a word and with
# status 0, so that a program finds it missing only when it wants it. Expected: the client's own `engines` decide. 3.3.0, with nuid
# 2.0.3, is installed either way: ours is pinned there.
set -euo pipefail
major=$(node -p 'process.versions.node.split(".")[0]')
[ "$major" -lt 22 ] || { echo "needs Node 20 or older to be seen; this is $major"; exit 0; }
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
try() { # kind version
  mkdir "$folder/$1-$2"; cd "$folder/$1-$2"
  npm init -y >/dev/null
  local status=0 there=missing
  npm install --no-audit --no-fund "--save-$1" "@nats-io/transport-node@$2" >/dev/null 2>&1 || status=$?
  if [ -d node_modules/@nats-io/transport-node ]; then there=installed; fi
  echo "$1 $2: status $status, $there"
}
seen=$(try prod 3.4.0; try optional 3.4.0; try optional 3.3.0)
echo "$seen"
expected=$'prod 3.4.0: status 0, installed\noptional 3.4.0: status 0, missing\noptional 3.3.0: status 0, installed'
[ "$seen" = "$expected" ] || { echo "CHANGED"; exit 1; }
