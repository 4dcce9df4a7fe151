// Threads, implicit null checks, garbage, a child process, sockets, files.
import java.io.*;
import java.net.*;
import java.nio.file.*;
import java.util.*;
import java.util.concurrent.*;

public class Work {
    static int length(String text) { return text.length(); }

    static int nulls() {
        int caught = 0;
        for (int i = 0; i < 40000; i++) {
            try { length(i % 4 == 0 ? null : "abc"); } catch (NullPointerException wrong) { caught++; }
        }
        return caught;
    }

    static long threads() throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(8);
        List<Future<Long>> results = new ArrayList<>();
        for (int n = 1; n <= 64; n++) {
            final int size = n;
            results.add(pool.submit(() -> {
                long sum = 0;
                for (int i = 0; i < size * 1000; i++) sum += new int[20].length + i % 7;
                return sum;
            }));
        }
        long sum = 0;
        for (Future<Long> result : results) sum += result.get();
        pool.shutdown();
        return sum;
    }

    static int sockets() throws Exception {
        int right = 0;
        try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            Thread thread = new Thread(() -> {
                try {
                    for (int i = 0; i < 20; i++)
                        try (Socket link = server.accept()) { link.getOutputStream().write(link.getInputStream().read() + 1); }
                } catch (IOException wrong) { System.out.println(wrong); }
            });
            thread.start();
            for (int i = 0; i < 20; i++)
                try (Socket link = new Socket(server.getInetAddress(), server.getLocalPort())) {
                    link.getOutputStream().write(i);
                    right += link.getInputStream().read() == i + 1 ? 1 : 0;
                }
            thread.join();
        }
        return right;
    }

    public static void main(String[] arguments) throws Exception {
        System.out.println("nulls " + nulls());
        System.out.println("threads " + threads());
        System.out.println("sockets " + sockets());
        Process child = new ProcessBuilder("sh", "-c", "echo child; exit 4").start();
        System.out.println(new BufferedReader(new InputStreamReader(child.getInputStream())).readLine() + child.waitFor());
        for (int i = 0; i < 100; i++) Files.writeString(Path.of("file" + i), "text " + i);
        System.out.println("files " + Files.list(Path.of(".")).filter(p -> p.toString().contains("file")).count());
        try { Files.readString(Path.of("/nonexistent")); } catch (NoSuchFileException wrong) { System.out.println("none"); }
        List<byte[]> kept = new ArrayList<>();
        for (int i = 0; i < 20000; i++) { byte[] block = new byte[10000]; if (i % 1000 == 0) kept.add(block); }
        System.out.println("garbage " + kept.size());
        System.exit(5);
    }
}
