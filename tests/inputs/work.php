<?php
// Files, child processes, json, sockets, generators.
for ($i = 0; $i < 100; $i++)
    file_put_contents("file$i", str_repeat('x', $i));
echo 'files ', array_sum(array_map('filesize', glob('file*'))), "\n";
exec('seq 1 5', $lines, $status);
echo 'exec ', implode(',', $lines), " $status\n";
$process = proc_open(['cat'], [['pipe', 'r'], ['pipe', 'w']], $pipes);
fwrite($pipes[0], 'through cat');
fclose($pipes[0]);
echo stream_get_contents($pipes[1]), ' ', proc_close($process), "\n";
$server = stream_socket_server('tcp://127.0.0.1:0');
$right = 0;
for ($i = 0; $i < 20; $i++) {
    $client = stream_socket_client('tcp://' . stream_socket_get_name($server, false));
    $link = stream_socket_accept($server);
    fwrite($client, "line $i\n");
    fwrite($link, strrev(trim(fgets($link))) . "\n");
    $right += trim(fgets($client)) === strrev("line $i") ? 1 : 0;
}
echo "sockets $right\n";
$data = ['list' => range(1, 50), 'text' => "\u{e4}"];
echo 'json ', json_decode(json_encode($data), true) === $data ? 'same' : 'differs', "\n";
function squares() { for ($i = 0; $i < 300000; $i++) yield $i * $i % 1009; }
$sum = 0;
foreach (squares() as $square) $sum += $square;
echo "generator $sum\n";
echo var_export(@file_get_contents('/nonexistent'), true), "\n";
usleep(1000);
exit(4);
