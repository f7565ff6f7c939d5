# Sourced by the scripts beside it, from the root of the repository: installs what package-lock.json asks
# for when it is not there yet, then puts the pinned Node first on PATH. Offline once that is done.

install_dependencies() {
  command -v npm >/dev/null || fail_install 'npm was not found. Install Node.js with npm (20 or later); these scripts then bring the Node version they need.'
  dependencies_are_current || install_locked
  has_node . || fetch_node .
  install_other_nodes
  export PATH="$PWD/node_modules/.bin:$PATH"
}

# `npm ci` refuses a lock file written where the registry lacked binaries of other platforms (EUSAGE).
# `npm install` takes the same locked versions and passes over those, so it stands in; the result is checked.
install_locked() {
  # One quick retry: npm's own patience is minutes per package.
  local options=(--no-progress --loglevel=error --fetch-retries=1 --fetch-retry-mintimeout=1000) refusal
  refusal=$(npm ci "${options[@]}" 2>&1) && return
  [[ $refusal == *EUSAGE* ]] || fail_install "$refusal"$'\nnpm could not install the dependencies: a first run needs the network.'

  echo 'npm ci refused package-lock.json; installing the locked versions with npm install --no-save.'
  npm install --no-save "${options[@]}" || fail_install 'npm could not install the dependencies (its own message is above).'
  dependencies_are_current || fail_install 'What npm installed is not what package-lock.json says. If package.json changed, run "npm install" and commit both files.'
}

# npm keeps what it installed in node_modules/.package-lock.json: the same packages in the same versions means current.
dependencies_are_current() {
  [ -f node_modules/.package-lock.json ] && node -e '
    const { readFileSync } = require("node:fs")
    const read = (file) => JSON.parse(readFileSync(file, "utf8"))
    const { "": root, ...wanted } = read("package-lock.json").packages
    const installed = read("node_modules/.package-lock.json").packages
    const ranges = ({ dependencies, devDependencies, optionalDependencies }) => JSON.stringify([dependencies, devDependencies, optionalDependencies])
    const differs = ([path, { version, optional }]) => (installed[path] ? installed[path].version !== version : !optional)
    process.exit(ranges(read("package.json")) !== ranges(root) || Object.entries(wanted).some(differs) ? 1 : 0)
  '
}

# Redis, and Python's Celery, which the suites that need them are skipped without. Only root on Debian or its kin can be helped;
# to have them elsewhere is up to whoever wants these suites to run.
install_servers() {
  local missing=()
  command -v redis-server >/dev/null || missing+=(redis-server)
  has_python_module celery || missing+=(python3-celery)
  has_python_module redis || missing+=(python3-redis)
  has_python_module msgpack || missing+=(python3-msgpack)
  has_python_module yaml || missing+=(python3-yaml)
  [ ${#missing[@]} -gt 0 ] && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null || return 0

  # Run level 1 keeps the package from starting a server of its own: the tests start theirs.
  local quietly=(env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -qq -o=Acquire::Retries=1)
  if timeout 120 "${quietly[@]}" update >/dev/null 2>&1 && timeout 300 "${quietly[@]}" install --no-install-recommends --yes "${missing[@]}" >/dev/null 2>&1; then return; fi
  echo "apt-get could not install ${missing[*]}; the tests that need them are skipped."
}

has_python_module() {
  [ -x /usr/bin/python3 ] && /usr/bin/python3 -c "import $1" >/dev/null 2>&1
}

# What travels between processes is tested on the oldest and the newest Node too.
install_other_nodes() {
  local folder
  for folder in test/node-versions/*; do
    has_node "$folder" || (cd "$folder" && npm ci --no-progress --loglevel=error >/dev/null 2>&1) || true
    has_node "$folder" || fetch_node "$folder"
  done
}

# Whether the package "node" below a folder brings a binary that runs, new enough for us.
has_node() {
  [ -x "$1/node_modules/.bin/node" ] && "$1/node_modules/.bin/node" -e '
    const [major, minor] = process.versions.node.split(".").map(Number)
    process.exit(major > 22 || (major === 22 && minor >= 18) ? 0 : 1)
  '
}

# npm may have been told not to run install scripts; the one of the package "node" fetches the binary.
fetch_node() {
  (cd "$1/node_modules/node" && node installArchSpecificPackage && ln -sf ../node/bin/node ../.bin/node) >/dev/null 2>&1 || true
  has_node "$1" || fail_install "$1/node_modules/.bin/node"' is missing or older than 22.18: npm did not run the install script of the package "node".
With network access, run "npm rebuild node --ignore-scripts=false" there, then this script again.'
}

fail_install() {
  printf '%s\n' "$1" >&2
  exit 1
}
