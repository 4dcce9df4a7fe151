#!/usr/bin/python3
"""Does bench/plot draw what a bench has written?

- valid SVG, a bar for each row, all names; charts of their own for groups and units; several benches in one file
- values of different orders of magnitude on a logarithmic scale, others on a linear one; zero, and less
- one line, and no chart, where the file is none of a bench's, or there is no gnuplot
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as xml

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(ROOT, "tests"), os.path.join(ROOT, "bench")]
import closing
import harness

SVG = "{http://www.w3.org/2000/svg}"
NO_GNUPLOT = None if shutil.which("gnuplot") else "no gnuplot here; install gnuplot-nox"


def row(name, *samples, unit="ns", **more):
    return {"name": name, "unit": unit, **more, **harness.spread(samples)}


def result(*rows, bench="it"):
    return {"bench": bench, "rounds": 3, "rows": rows}


class Chart:
    def __init__(self, path):
        root = xml.parse(path).getroot()
        bars = root.find(f".//{SVG}g[@id='gnuplot_plot_1']")
        self.widths = [self.width(polygon.get("points")) for polygon in bars.iter(SVG + "polygon")]
        self.words = [(text.text or "").strip() for text in root.iter(SVG + "text")]

    @staticmethod
    def width(points):
        across = [float(point.split(",")[0]) for point in points.split()]
        return max(across) - min(across)


class Plots(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="zlazy-test-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.out = os.path.join(self.folder, "it's new", "charts")

    def plot(self, content, out=None, **environment):
        path = os.path.join(self.folder, "results.json")
        with open(path, "w", encoding="utf-8") as file:
            file.write(content if isinstance(content, str) else json.dumps(content))
        return subprocess.run([sys.executable, os.path.join(ROOT, "bench/plot"), path, "--out", out or self.out], text=True,
                              env={**os.environ, **environment}, capture_output=True)

    def draw(self, content):
        """{name of the file: Chart}"""
        done = self.plot(content)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        paths = sorted(os.path.join(self.out, name) for name in os.listdir(self.out))
        self.assertEqual(sorted(done.stdout.splitlines()), paths)
        return {name: Chart(os.path.join(self.out, name)) for name in os.listdir(self.out)}

    def expect_one_line(self, done, status, *parts):
        self.assertEqual((done.returncode, done.stdout), (status, ""))
        self.assertRegex(done.stderr, r"\A[^\n]+\n\Z")
        for part in parts:
            self.assertIn(part, done.stderr)
        self.assertFalse(os.path.exists(self.out))


@unittest.skipIf(NO_GNUPLOT, NO_GNUPLOT)
class Drawing(Plots):
    def test_bar_for_each_row(self):
        names = ("a & <b>", "call *%rax, it's", 'the "third"', "ENDOFROWS", "back\\slash")
        chart = self.draw(result(*(row(name, 10 + i, 11 + i, 12 + i) for i, name in enumerate(names))))["it-ns.svg"]
        self.assertEqual(len(chart.widths), len(names))
        self.assertEqual(chart.widths, sorted(chart.widths))
        for shown in ("a & <b>", "call *%rax, it's", "the 'third'", "ENDOFROWS", "back/slash", "11.0", "15.0"):
            self.assertIn(shown, chart.words)

    def test_groups_and_units(self):
        charts = self.draw(result(row("a", 1), row("b", 2, unit="us"), row("c", 3, group="passed on"), row("d", 4)))
        self.assertEqual({name: len(chart.widths) for name, chart in charts.items()},
                         {"it-ns.svg": 2, "it-us.svg": 1, "it-passed_on-ns.svg": 1})

    def test_several_benches(self):
        charts = self.draw([result(row("a", 1), bench="one"), result(row("a", 1), row("b", 1), bench="two")])
        self.assertEqual({name: len(chart.widths) for name, chart in charts.items()},
                         {"one-ns.svg": 1, "two-ns.svg": 2})

    def test_scales(self):
        linear = self.draw(result(row("a", 10), row("b", 20)))["it-ns.svg"]
        self.assertAlmostEqual(linear.widths[1] / linear.widths[0], 2, places=1)
        self.assertIn("0", linear.words)
        log = self.draw(result(row("a", 10), row("b", 100), row("c", 1000)))["it-ns.svg"]
        self.assertNotIn("0", log.words)
        self.assertAlmostEqual(log.widths[2] - log.widths[1], log.widths[1] - log.widths[0], places=0)

    def test_zero_has_no_length(self):
        chart = self.draw(result(row("a", 0), row("b", 0)))["it-ns.svg"]
        self.assertEqual((chart.widths, {"a", "b"} & set(chart.words)), ([], {"a", "b"}))
        self.assertEqual(len(self.draw(result(row("a", -2, -1), row("b", 0, 5)))["it-ns.svg"].widths), 2)


class Refusing(Plots):
    def test_no_gnuplot(self):
        self.expect_one_line(self.plot(result(row("a", 1)), PATH="/nowhere"), harness.SKIPPED, "gnuplot-nox")

    def test_wrong_file(self):
        for content in ("", "{", "[1]", "{}", '{"rows": [{}]}'):
            self.expect_one_line(self.plot(content), 2, "results.json")

    @unittest.skipIf(NO_GNUPLOT, NO_GNUPLOT)
    def test_no_folder(self):
        for folder in ("/proc/nowhere", "/dev/null"):
            self.expect_one_line(self.plot(result(row("a", 1)), folder), 2, folder)


if __name__ == "__main__":
    sys.exit(closing.close(unittest.main(exit=False).result))
