// Null checks in compiled code, in many threads, while garbage is collected; until the file that is named is there.
import java.nio.file.*;
import java.util.*;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.*;

public class Nulls {
    static final int THREADS = 16, ROUNDS = 300000;
    static final class Node { int value = 1; Node next; int[] cells = {1, 2, 3}; }

    static volatile boolean enough;
    static final AtomicLong collections = new AtomicLong();

    static int field(Node node) { return node.value; }
    static int far(Node node) { return node.next.cells[1]; }
    static int length(int[] cells) { return cells.length; }
    static int locked(Object lock) { synchronized (lock) { return 1; } }

    // How many of the four kinds of use threw.
    static int thrown(Node node) {
        int caught = 0;
        try { field(node); } catch (NullPointerException wrong) { caught++; }
        try { far(node); } catch (NullPointerException wrong) { caught++; }
        try { length(node == null ? null : node.cells); } catch (NullPointerException wrong) { caught++; }
        try { locked(node); } catch (NullPointerException wrong) { caught++; }
        return caught;
    }

    static long hot() {
        Node whole = new Node(), half = new Node();
        whole.next = half;
        long caught = 0;
        for (int i = 0; i < ROUNDS; i++)
            caught += thrown(i % 16 == 0 ? null : i % 16 == 1 ? half : whole);
        return caught;
    }

    static int depth(int n) { return n == 0 ? 0 : 1 + depth(n - 1); }

    static void wait(Path file) throws Exception {
        List<byte[]> kept = new ArrayList<>();
        while (!Files.exists(file)) {
            kept.add(new byte[100000]);
            if (kept.size() > 50) kept.clear();
            Thread.sleep(1);
        }
        enough = true;
    }

    // Threads that all live until the last one has come.
    static int atOnce(int count) throws Exception {
        CountDownLatch all = new CountDownLatch(count);
        AtomicInteger met = new AtomicInteger();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Thread thread = new Thread(() -> {
                all.countDown();
                try { all.await(); met.incrementAndGet(); } catch (InterruptedException wrong) { }
            });
            threads.add(thread);
            thread.start();
        }
        for (Thread thread : threads) thread.join();
        return met.get();
    }

    public static void main(String[] arguments) throws Exception {
        Thread collector = new Thread(() -> {
            while (!enough) { System.gc(); collections.incrementAndGet(); Thread.yield(); }
        }, "collector");
        collector.start();
        long[] caught = new long[THREADS];
        Thread[] threads = new Thread[THREADS];
        for (int n = 0; n < THREADS; n++) {
            final int mine = n;
            threads[n] = new Thread(() -> {
                long first = hot();
                while (!enough) if (hot() != first) throw new IllegalStateException("another count");
                caught[mine] = first;
            }, "hot-" + n);
            threads[n].start();
        }
        Files.writeString(Path.of("pid.new"), ProcessHandle.current().pid() + "\n");
        Files.move(Path.of("pid.new"), Path.of("pid"));
        wait(Path.of(arguments[0]));
        for (Thread thread : threads) thread.join();
        collector.join();
        System.out.println("caught " + Arrays.toString(caught));
        System.out.println("collected " + (collections.get() > 0));
        try { depth(100_000_000); } catch (StackOverflowError wrong) { System.out.println("too deep"); }
        for (int i = 0; i < 200; i++) { Thread short_ = new Thread(() -> caught[0]++); short_.start(); short_.join(); }
        System.out.println("threads " + (caught[0] - caught[1]));
        System.out.println("at once " + atOnce(500));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("hook")));
        new ProcessBuilder("sh", "-c", "kill -TERM $PPID").start();
        Thread.sleep(100000);
    }
}
