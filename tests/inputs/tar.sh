# A tree, packed and unpacked.
set -eu
mkdir -p tree/a/b tree/c
for i in 1 2 3 4 5 6 7 8 9; do seq "$i" 5000 > "tree/a/b/file$i"; done
ln -s a/b/file1 tree/link
ln tree/a/b/file2 tree/c/hard
truncate -s 1M tree/sparse
tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX -S -cf tree.tar tree
gzip -n -k -9 tree.tar
gzip -l tree.tar.gz
gzip -t tree.tar.gz && echo sound
tar -tvf tree.tar.gz
mkdir out && tar -xzf tree.tar.gz -C out
diff -r tree out/tree && echo same
tar -cf - tree | gzip -1 | gzip -dc | tar -tf - | sort | cksum
head -c 100 tree.tar.gz | tar -tzf - || echo "truncated: $?"
