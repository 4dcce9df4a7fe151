// Compiled code that comes and goes: classes loaded over and over and unloaded, assumptions that break, in threads.
// Nothing here uses a null reference. Natively: java Compiled ROUNDS
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.lang.ref.WeakReference;
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntUnaryOperator;

public class Compiled {
    public static class Loaded implements IntUnaryOperator {
        private int calls;
        public int applyAsInt(int n) {
            int sum = 0;
            for (int i = 0; i < n; i++) sum = (sum * 31 + i + calls) % 65521;
            calls++;
            return sum;
        }
    }

    // Makes a class of its own out of the bytes of Loaded.
    static final class Loader extends ClassLoader {
        Loader() { super(Compiled.class.getClassLoader()); }
        Class<?> make(byte[] bytes) { return defineClass("Compiled$Loaded", bytes, 0, bytes.length); }
    }

    static byte[] bytesOfLoaded() throws Exception {
        try (InputStream in = Compiled.class.getResourceAsStream("Compiled$Loaded.class")) { return in.readAllBytes(); }
    }

    static long classes(int rounds) throws Exception {
        byte[] bytes = bytesOfLoaded();
        long sum = 0;
        for (int round = 0; round < rounds; round++) {
            for (int n = 0; n < 10; n++) {
                Class<?> loaded = new Loader().make(bytes);
                IntUnaryOperator made = (IntUnaryOperator) loaded.getDeclaredConstructor().newInstance();
                for (int i = 0; i < 2000; i++) sum += made.applyAsInt(30);
            }
            System.gc();
        }
        return sum;
    }

    // Until the collector has unloaded some: what was asked for is not always done at once.
    static boolean unloaded() throws Exception {
        for (int i = 0; i < 100; i++) {
            if (ManagementFactory.getClassLoadingMXBean().getUnloadedClassCount() > 0) return true;
            System.gc();
            Thread.sleep(20);
        }
        return false;
    }

    interface Shape { int area(int n); }
    static final class Square implements Shape { public int area(int n) { return n * n % 1009; } }
    static final class Round implements Shape { public int area(int n) { return n * n * 3 % 1009; } }
    static final class Line implements Shape { public int area(int n) { return n; } }

    static int hot(Shape shape, Object[] cells, int n) {
        int sum = shape.area(n);
        if (n > 1_000_000) sum += cells.length;             // not seen while it is compiled
        if (cells[n & 7] instanceof Integer value) sum += value;
        else sum += cells[n & 7].hashCode() & 1;
        return sum;
    }

    // Each round breaks what the compiler has assumed of the one before, in every thread.
    static long storm(int rounds) {
        Object[] numbers = new Object[8], texts = new Object[8];
        for (int i = 0; i < 8; i++) { numbers[i] = i; texts[i] = "" + i; }
        Shape[] shapes = { new Square(), new Round(), new Line() };
        long sum = 0;
        for (int round = 0; round < rounds; round++) {
            Shape shape = round < rounds / 3 ? shapes[0] : shapes[round % 3];
            for (int i = 0; i < 15000; i++) sum += hot(shape, round % 2 == 0 ? numbers : texts, i);
            sum += hot(shape, numbers, 1_000_001 + round);
            try { hot(shape, new Object[] {1, 2}, 7); } catch (ArrayIndexOutOfBoundsException wrong) { sum++; }
            try { Object text = texts[0]; sum += (Integer) text; } catch (ClassCastException wrong) { sum++; }
            try { sum += 1 / (round - round); } catch (ArithmeticException wrong) { sum++; }
        }
        return sum;
    }

    static final class Cell { int value = 1; }

    static int nulls(int count) {
        int caught = 0;
        Cell[] cells = { new Cell(), new Cell(), null };
        for (int i = 0; i < count; i++) {
            Cell cell = cells[i % 1000 == 0 ? 2 : i % 2];
            try { caught += cell.value > 9 ? 1 : 0; } catch (NullPointerException wrong) { caught++; }
        }
        return caught;
    }

    static long lambdas(int count) {
        long sum = 0;
        for (int n = 0; n < count; n++) {
            final int mine = n;
            IntUnaryOperator f = i -> i * mine % 1009;
            for (int i = 0; i < 3000; i++) sum += f.andThen(x -> x + 1).applyAsInt(i);
        }
        return sum;
    }

    public static void main(String[] arguments) throws Exception {
        int rounds = Integer.parseInt(arguments[0]);
        AtomicBoolean enough = new AtomicBoolean();
        Thread watcher = new Thread(() -> {
            while (!enough.get()) { Thread.getAllStackTraces(); Thread.yield(); }
        });
        watcher.start();
        ExecutorService pool = Executors.newFixedThreadPool(4);
        List<Callable<Long>> tasks = List.of(() -> classes(rounds), () -> storm(rounds), () -> storm(rounds + 1),
            () -> lambdas(rounds), () -> classes(rounds / 2));
        for (Future<Long> result : pool.invokeAll(tasks)) System.out.println("result " + result.get());
        pool.shutdown();
        enough.set(true);
        watcher.join();
        System.out.println("unloaded " + unloaded());
        if (arguments.length > 1) System.out.println("nulls " + nulls(100000));
    }
}
