// Methods made at run time, system calls from them, exceptions, threads, collections, children. Argument: also nulls.
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Reflection.Emit;
using System.Runtime.InteropServices;
using System.Threading;

static class Compiled {
    [DllImport("libc")] static extern int getppid();
    [DllImport("libc")] static extern long syscall(long number);

    static int Hot(int count) {
        int same = 0, parent = getppid();
        for (int i = 0; i < count; i++) if (getppid() == parent && syscall(110) == parent) same++;
        return same;
    }

    static long Methods(int count) {
        long sum = 0;
        for (int n = 1; n <= count; n++) {
            var method = new DynamicMethod("made" + n, typeof(long), new[] { typeof(int) }, typeof(Compiled).Module);
            var code = method.GetILGenerator();
            code.Emit(OpCodes.Ldarg_0);
            code.Emit(OpCodes.Ldc_I4, n);
            code.Emit(OpCodes.Mul);
            code.Emit(OpCodes.Call, typeof(Compiled).GetMethod("Next"));
            code.Emit(OpCodes.Ret);
            var made = (Func<int, long>)method.CreateDelegate(typeof(Func<int, long>));
            for (int i = 0; i < 100; i++) sum += made(i);
            if (n % 50 == 0) GC.Collect();
        }
        return sum;
    }

    public static long Next(int n) { return n % 1009 + (getppid() > 0 ? 1 : 0); }

    static int Exceptions(int count) {
        int caught = 0;
        int[] cells = new int[3];
        for (int i = 0; i < count; i++) {
            try { cells[i % 5]++; } catch (IndexOutOfRangeException) { caught++; }
            try { caught += 10 / (i % 4); } catch (DivideByZeroException) { caught++; }
        }
        return caught;
    }

    static int Nulls(int count) {
        int caught = 0;
        string text = null;
        for (int i = 0; i < count; i++) {
            try { caught += text.Length; } catch (NullReferenceException) { caught++; }
        }
        return caught;
    }

    static long[] Threads(int count) {
        var sums = new long[count];
        var threads = new List<Thread>();
        for (int n = 0; n < count; n++) {
            int mine = n;
            var thread = new Thread(() => {
                for (int i = 0; i < 200; i++) { sums[mine] += new int[1000 + i].Length; if (i % 50 == 0) GC.Collect(); }
                sums[mine] += Hot(1000) + Methods(20);
            });
            threads.Add(thread);
            thread.Start();
        }
        threads.ForEach(thread => thread.Join());
        return sums;
    }

    static int Main(string[] arguments) {
        Console.WriteLine("hot " + Hot(20000));
        Console.WriteLine("methods " + Methods(300));
        Console.WriteLine("exceptions " + Exceptions(2000));
        if (arguments.Length > 0) Console.WriteLine("nulls " + Nulls(2000));
        Console.WriteLine("threads " + string.Join(" ", Threads(6)));
        var child = Process.Start(new ProcessStartInfo("sh", "-c \"echo child; exit 4\"")
            { RedirectStandardOutput = true, UseShellExecute = false });
        Console.WriteLine(child.StandardOutput.ReadToEnd().Trim());
        child.WaitForExit();
        Console.WriteLine("child " + child.ExitCode);
        for (int i = 0; i < 50; i++) File.WriteAllText("file" + i, new string('x', i));
        Console.WriteLine("files " + Directory.GetFiles(".", "file*").Length);
        return 6;
    }
}
