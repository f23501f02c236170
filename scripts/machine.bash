# What the scripts beside this file need of a machine: packages, Rust, an ordinary user.
# To be sourced. `root` is the checkout.
# shellcheck shell=bash
# The lists are for those who source this.
# shellcheck disable=SC2034

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

# What building needs, and what streaming any game needs.
build_packages=(build-essential ca-certificates cmake curl libasound2-dev libavcodec-dev
    libavformat-dev libavutil-dev libclang-dev libgbm-dev libpixman-1-dev libxkbcommon-dev
    libzstd-dev pkg-config)
stream_packages=(sway)
# The demo's game, and what SDL loads at run time to draw without a GPU.
doom_packages=(chocolate-doom freedoom libegl1 libgl1 libgl1-mesa-dri libgles2)

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "error: $*"
    exit 1
}

is_root() { [ "$(id -u)" = 0 ]; }

# need_packages PACKAGE...: installs those that are missing, or prints the one line that does.
need_packages() {
    command -v dpkg-query >/dev/null ||
        fail "this script knows only Debian and its kin; install what matches: $*"
    local missing=() package
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
            missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    local become=()
    if ! is_root; then
        if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
            become=(sudo -n)
        else
            say "These packages are missing. Install them, then start this script again:"
            say "    sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}"
            exit 1
        fi
    fi
    say "installing ${missing[*]}"
    local apt=("${become[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300)
    "${apt[@]}" update >&2
    "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >&2
}

# need_rust [COMPONENT...]: puts a cargo that is new enough into PATH.
need_rust() {
    local cargo_home=${CARGO_HOME:-$HOME/.cargo} least component
    least=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' "$root/Cargo.toml" | head -n 1)
    case ":$PATH:" in
        *":$cargo_home/bin:"*) ;;
        *) PATH=$cargo_home/bin:$PATH ;;
    esac
    if ! new_enough "$least"; then
        if ! command -v rustup >/dev/null; then
            say "installing Rust by rustup (https://rustup.rs)"
            curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs |
                sh -s -- -y --profile minimal --default-toolchain stable --no-modify-path >&2
        fi
        rustup toolchain install stable --profile minimal >&2
        export RUSTUP_TOOLCHAIN=stable
        hash -r
        new_enough "$least" || fail "Rust $least or newer is needed; found $(cargo --version 2>&1)"
    fi
    for component in "$@"; do
        cargo "$component" --version >/dev/null 2>&1 && continue
        command -v rustup >/dev/null ||
            fail "cargo $component is missing: install it from where your Rust came"
        case $component in
            fmt) rustup component add rustfmt >&2 ;;
            *) rustup component add "$component" >&2 ;;
        esac
    done
}

# new_enough VERSION: whether the cargo in PATH works and is at least that.
new_enough() {
    local have
    have=$(cargo --version 2>/dev/null | cut -d ' ' -f 2) || return 1
    [ -n "$have" ] && printf '%s\n%s\n' "$1" "$have" | sort -V -C
}

# need_user: Sway refuses root, so as root everything that streams runs as the user `stratus`.
# Sets `user`, and `runtime` to that user's runtime directory.
need_user() {
    if is_root; then
        user=stratus
        id "$user" >/dev/null 2>&1 || useradd --create-home --shell /bin/sh "$user"
    else
        user=$(id -un)
    fi
    runtime=/tmp/stratus-runtime-$(id -u "$user")
    # Another user might have taken the name: then `as-user` would refuse it.
    [ -d "$runtime" ] || mkdir -m 0700 "$runtime"
    is_root && chown "$user:" "$runtime"
    [ "$(stat -c %u "$runtime")" = "$(id -u "$user")" ] || fail "$runtime belongs to someone else"
    chmod 0700 "$runtime"
}

