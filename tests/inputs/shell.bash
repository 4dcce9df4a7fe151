# What only bash has: process substitution, coprocesses, arrays, PIPESTATUS, timeouts.
set -u
diff <(seq 5) <(seq 6); echo "diff: $?"
coproc { while read -r line; do echo "<$line>"; done; }
echo hello >&"${COPROC[1]}"
read -r answer <&"${COPROC[0]}"
echo "$answer"
eval "exec ${COPROC[1]}>&-"
wait
true | false | (exit 5); echo "${PIPESTATUS[*]}"
mapfile -t lines < <(seq 1 1000)
echo "${#lines[@]} ${lines[999]}"
for i in {1..20}; do printf '%s ' "$(echo "$((i * 3))" | rev)"; done; echo
trap 'echo "child ended"' CHLD
(exit 4) & wait $!; echo "waited: $?"
trap - CHLD
timeout 0.05 sleep 5; echo "timeout: $?"
read -r -t 0.02 nothing < <(sleep 0.2); echo "read: $((${?} > 128))"
# Between fork and exec bash loses a TERM now and then: not before it is sleep.
{ sleep 30 & until [[ $(< /proc/$!/comm) == sleep ]]; do :; done; kill -TERM $!; wait $!; } 2> /dev/null; echo "job: $?"
exec 5<> /dev/tcp/127.0.0.1/1 || echo "refused"
