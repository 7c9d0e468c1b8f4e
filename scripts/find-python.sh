#!/bin/sh
# Print the path of a Python that can make the virtual environment, after looking for everything else that
# `make up` needs. What is missing is named in one command that installs all of it.
set -eu

wanted="3.11"
python=""
too_old=""
missing=""

for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
    path=$(command -v "$candidate" 2>/dev/null) || continue
    if "$path" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$path
        break
    fi
    version=$("$path" -c 'import platform; print(platform.python_version())' 2>/dev/null || echo unknown)
    too_old="${too_old}${too_old:+, }$path is $version"
done

[ -n "$python" ] || missing="python"
if [ -z "$python" ] || ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    missing="$missing venv"
fi
command -v tmux >/dev/null 2>&1 || missing="$missing tmux"
command -v make >/dev/null 2>&1 || missing="$missing make"
missing=${missing# }

if [ -z "$missing" ]; then
    echo "$python"
    exit 0
fi

# Debian names the packages after the interpreter when that is not its own python3.
series="3"
case "$python" in */python3.*) series=${python##*/python} ;; esac
if [ -z "$python" ] && [ -n "$too_old" ]; then series=$wanted; fi

package() {
    case "$1:$2" in
        apt-get:python) echo "python$series" ;;
        apt-get:venv) echo "python$series-venv" ;;
        dnf:python) echo python3.11 ;;
        dnf:venv) echo python3-pip ;;
        zypper:python | zypper:venv) echo python311 ;;
        pacman:python | pacman:venv) echo python ;;
        apk:python | apk:venv) echo python3 ;;
        brew:python | brew:venv) echo python@3.13 ;;
        *) echo "$2" ;;
    esac
}

install_command() {
    for manager in apt-get dnf zypper pacman apk brew; do
        command -v "$manager" >/dev/null 2>&1 || continue
        names=""
        for thing in $missing; do
            name=$(package "$manager" "$thing")
            case " $names " in *" $name "*) ;; *) names="$names $name" ;; esac
        done
        case "$manager" in
            pacman) verb="pacman -S --needed" ;;
            apk) verb="apk add" ;;
            apt-get) verb="apt-get install -y" ;;
            dnf) verb="dnf install -y" ;;
            *) verb="$manager install" ;;
        esac
        become=""
        if [ "$manager" != brew ] && [ "$(id -u)" -ne 0 ]; then become="sudo "; fi
        echo "$become$verb$names"
        return
    done
    echo "(your system's package manager) install: $missing"
}

{
    if [ -n "$too_old" ] && [ -z "$python" ]; then
        echo "Mosaic Fleet needs Python $wanted or newer; $too_old."
    fi
    echo "Missing: $(echo "$missing" | sed 's/ /, /g'). Install with:"
    echo
    echo "    $(install_command)"
    echo
} >&2
exit 1
