# A repository with history, a branch, a conflict, a clone.
set -eu
git init -q -b main repository
cd repository
git config gc.auto 0
for i in 1 2 3 4 5 6 7 8; do
	echo "line $i" >> file
	mkdir -p "folder$i" && seq "$i" 300 > "folder$i/numbers"
	git add . && git commit -q -m "commit $i"
done
git checkout -q -b side HEAD~3
echo side > file2 && git add file2 && git commit -q -m side
git checkout -q main
git merge -q --no-edit side
git checkout -q -b conflict HEAD~2
echo other > file && git commit -q -am other
git merge --no-edit main || echo "conflict: $?"
git status --short
git checkout -q -f main
git --no-pager log --oneline --graph --stat
git --no-pager blame file | sed 's/ (.*)//'
git gc -q
git fsck --no-progress
git count-objects
cd ..
git clone -q --no-local repository copy 2>&1
git -C copy --no-pager log -1 --format=%H
git -C copy grep -c 299
