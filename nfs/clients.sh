#!/bin/sh
# Who may be a client of the share: hosts by name, and addresses and networks that are private as a whole. Sourced by
# serve.sh and by the container of server/, which have `die`.

# The narrowest that a network may not be wider than: all of it is private.
check_network() { # CLIENT BITS
  case $1 in
    */*) ;;
    *) return 0 ;;
  esac
  bits=${1##*/}
  case $bits in
    ''|*[!0-9]*) die "$1: write the network's size as a number of bits, as in 10.0.0.0/24" ;;
  esac
  [ "$bits" -ge "$2" ] || die "$1 holds public addresses too: NFS belongs into one private network"
}

check_client() {
  case $1 in
    ''|*[!A-Za-z0-9.:/_-]*) die "$1 is no address, network or host name; patterns are not taken" ;;
    0.0.0.0*|::|::/*) die "$1 is everybody: name the hosts, or one private network" ;;
    *:*)
      case $1 in
        [fF][cCdD]??:*) check_network "$1" 7 ;;
        [fF][eE]80:*) check_network "$1" 10 ;;
        *) die "$1 is a public address: NFS belongs into a private network" ;;
      esac ;;
    *[A-Za-z]*) case $1 in */*) die "$1 is no network: write its address" ;; esac ;;
    10.*) check_network "$1" 8 ;;
    172.1[6-9].*|172.2[0-9].*|172.3[01].*) check_network "$1" 12 ;;
    100.6[4-9].*|100.[7-9][0-9].*|100.1[01][0-9].*|100.12[0-7].*) check_network "$1" 10 ;;
    192.168.*|169.254.*) check_network "$1" 16 ;;
    *) die "$1 is a public address: NFS belongs into a private network" ;;
  esac
}
