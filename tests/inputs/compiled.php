<?php
// Loops and functions for opcache's tracing compiler, system calls in them, functions that are made and dropped.
function hot(int $count): int
{
    $same = 0;
    $parent = posix_getppid();
    for ($i = 0; $i < $count; $i++)
        if (posix_getppid() === $parent)
            $same++;
    return $same;
}

function made(int $count): int
{
    $sum = 0;
    for ($n = 0; $n < $count; $n++) {
        $body = "\$s = 0; for (\$k = 0; \$k < 100; \$k++) \$s = (\$s * 31 + \$i + $n) % 65521; return \$s;";
        $f = eval("return function (\$i) { $body };");
        for ($i = 0; $i < 40; $i++)
            $sum += $f($i);
    }
    return $sum;
}

function included(int $count): int
{
    $sum = 0;
    for ($n = 0; $n < $count; $n++) {
        $body = "\$s = 0; for (\$k = 0; \$k < 3000; \$k++) \$s = (\$s + \$k * $n) % 65521; return \$s;";
        file_put_contents("part$n.php", "<?php $body");
        $sum += include "part$n.php";
        opcache_invalidate("part$n.php", true);
    }
    return $sum;
}

function types(int $count): string
{
    $text = '';
    foreach ([1, 1.5, '3', true] as $value) {
        $sum = 0;
        for ($i = 0; $i < $count; $i++)
            $sum += $value;
        $text .= " $sum";
    }
    return $text;
}

$status = opcache_get_status(false);
echo 'compiler ', var_export($status['jit']['on'] ?? false, true), "\n";
echo 'hot ', hot(60000), "\n", 'made ', made(400), "\n", 'included ', included(60), "\n", 'types', types(20000), "\n";
$pid = pcntl_fork();
if ($pid === 0)
    exit(hot(10000) === 10000 && made(50) > 0 ? 5 : 1);
pcntl_waitpid($pid, $status);
echo 'fork ', pcntl_wexitstatus($status), "\n";
$code = FFI::cdef('long syscall(long, ...); int getppid(void);');
$same = 0;
for ($i = 0; $i < 10000; $i++)
    $same += $code->syscall(110) === $code->getppid() ? 1 : 0;
echo "syscall $same\n";
