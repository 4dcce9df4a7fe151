# Pipes, subshells, traps and background jobs; for every shell.
set -u
seq 1 200 | sed 's/1/x/g' | sort -r | head -n 20 | tr '\n' ' '
echo
(cd / && pwd; exit 3); echo "subshell: $?"
i=0
while [ $i -lt 40 ]; do
	i=$((i + 1))
	value=$(echo "$i" | cat | (read -r n; echo $((n * n))))
	printf '%s ' "$value"
done
echo
trap 'echo "got TERM"' TERM
kill -TERM $$
for i in 1 2 3; do
	(sleep 0.0$i; echo "job $i" > "job$i") &
done
wait
cat job1 job2 job3
{ sh -c 'kill -KILL $$'; } 2>/dev/null; echo "killed: $?"
cat <<END | wc -l
here
document
END
{ echo one; echo two >&2; } 2>&1 | cat
exec 3> file; echo three >&3; exec 3>&-; cat file
ls /nonexistent; echo "ls: $?"
find . -name 'job*' -exec echo {} + | tr ' ' '\n' | sort | xargs -n 1 basename
: | false | true; echo "pipe: $?"
trap 'echo bye' EXIT
exit 7
