// The same work over and over for so many seconds: threads, sockets, files, garbage, classes loaded and unloaded.
// Nothing here uses a null reference.
import java.io.InputStream;
import java.net.*;
import java.nio.file.*;
import java.util.concurrent.*;
import java.util.function.IntUnaryOperator;

public class Steady {
    public static class Loaded implements IntUnaryOperator {
        public int applyAsInt(int n) { return n * 31 % 1009; }
    }

    static final class Loader extends ClassLoader {
        Class<?> make(byte[] bytes) { return defineClass("Steady$Loaded", bytes, 0, bytes.length); }
    }

    static long classes(byte[] bytes) throws Exception {
        IntUnaryOperator made = (IntUnaryOperator) new Loader().make(bytes).getDeclaredConstructor().newInstance();
        long sum = 0;
        for (int i = 0; i < 2000; i++) sum += made.applyAsInt(i);
        return sum;
    }

    static int sockets(ServerSocket server) throws Exception {
        try (Socket client = new Socket(server.getInetAddress(), server.getLocalPort());
             Socket link = server.accept()) {
            client.getOutputStream().write(7);
            return link.getInputStream().read();
        }
    }

    public static void main(String[] arguments) throws Exception {
        byte[] bytes;
        try (InputStream in = Steady.class.getResourceAsStream("Steady$Loaded.class")) { bytes = in.readAllBytes(); }
        long end = System.nanoTime() + 1_000_000_000L * Integer.parseInt(arguments[0]);
        ExecutorService pool = Executors.newFixedThreadPool(4);
        try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            for (int n = 0; System.nanoTime() < end; n++) {
                Future<Long> sum = pool.submit(() -> classes(bytes));
                for (int i = 0; i < 20; i++) sockets(server);
                for (int i = 0; i < 20; i++) {
                    Files.writeString(Path.of("file"), "text " + i);
                    Files.readString(Path.of("file"));
                }
                Thread thread = new Thread(() -> {
                    byte[][] garbage = new byte[100][];
                    for (int i = 0; i < 100; i++) garbage[i] = new byte[10000];
                });
                thread.start();
                thread.join();
                sum.get();
                if (n % 20 == 0) System.gc();
            }
        }
        pool.shutdown();
    }
}
