// A recording: its waveform, play and pause, loop, speed, and jumps, by pointer and by keys.
import { h, icon, kept } from "./dom.js";

const PLAY = "M8 5.5v13l11-6.5z", PAUSE = "M7 5h3.5v14H7zM13.5 5H17v14h-3.5z";
const LOOP = "M17 3l3 3-3 3M20 6H8a4 4 0 0 0-4 4v1M7 21l-3-3 3-3M4 18h12a4 4 0 0 0 4-4v-1";
const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5];
let sounding = null; // one recording at a time

const clock = (seconds) => `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(1).padStart(4, "0")}`;

export function player(media, { label = "Recording to judge", small = false, autoplay = false, onHeard = () => {} } = {}) {
  const audio = new Audio(media.url);
  audio.preload = "auto";
  audio.loop = kept.get("loop", true);
  audio.playbackRate = kept.get("speed", 1);
  audio.preservesPitch = true;
  const canvas = h("canvas", { role: "slider", tabindex: "0", "aria-label": `${label}: position`, "aria-valuemin": "0" });
  const play = h("button", { type: "button", class: "play", "aria-label": "Play", title: "Play or pause (space)" }, icon(PLAY));
  const loop = h("button", { type: "button", class: "line", "aria-label": "Repeat", title: "Repeat (L)", "aria-pressed": String(audio.loop) }, icon(LOOP));
  const speed = h("button", { type: "button", class: "wide", title: "Speed ([ slower, ] faster)" });
  const time = h("span", { class: "time" }, "0:00.0");
  const node = h("div", { class: `player${small ? " small" : ""}`, role: "group", "aria-label": label }, canvas,
    h("div", { class: "controls" }, play, loop, speed, time));
  let frame = 0, gone = false, told = "";

  const length = () => (Number.isFinite(audio.duration) ? audio.duration : media.peaks?.duration_s ?? 0);
  function draw() {
    const ratio = devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
    if (!width) return;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio); canvas.height = Math.round(height * ratio);
    }
    const pen = canvas.getContext("2d"), style = getComputedStyle(node);
    const peaks = media.peaks?.peaks ?? [], at = length() ? audio.currentTime / length() : 0;
    const [done, rest] = [style.getPropertyValue("--accent"), style.getPropertyValue("--line")];
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    const bars = Math.max(1, Math.floor(width / 4)), loudest = Math.max(1, ...peaks);
    for (let bar = 0; bar < bars; bar++) {
      const from = Math.floor((bar / bars) * peaks.length), to = Math.max(from + 1, Math.floor(((bar + 1) / bars) * peaks.length));
      const peak = peaks.length ? Math.max(...peaks.slice(from, to)) / loudest : 0.02;
      const tall = Math.max(2, peak * (height - 6));
      pen.globalAlpha = (bar + 0.5) / bars <= at ? 1 : 0.5;
      pen.fillStyle = (bar + 0.5) / bars <= at ? done : rest;
      pen.beginPath();
      pen.roundRect(bar * 4, (height - tall) / 2, 2.6, tall, 1.3);
      pen.fill();
    }
    pen.globalAlpha = 1;
    pen.fillStyle = done;
    pen.fillRect(Math.min(width - 1.5, at * width), 0, 1.5, height);
    const text = `${clock(audio.currentTime)} / ${clock(length())}`;
    if (text !== told) {
      time.textContent = told = text;
      canvas.setAttribute("aria-valuemax", length().toFixed(1));
      canvas.setAttribute("aria-valuenow", audio.currentTime.toFixed(1));
      canvas.setAttribute("aria-valuetext", `${audio.currentTime.toFixed(1)} of ${length().toFixed(1)} seconds`);
    }
  }
  const tick = () => { draw(); if (!audio.paused && !gone) frame = requestAnimationFrame(tick); };
  const seek = (to) => { audio.currentTime = Math.max(0, Math.min(length() - 0.01, to)); draw(); };
  function start() {
    if (sounding && sounding !== audio) sounding.pause();
    sounding = audio;
    return audio.play().catch(() => { /* the browser waits for a first gesture: the play button shows */ });
  }
  const toggle = () => (audio.paused ? start() : audio.pause());
  function setSpeed(value) {
    audio.playbackRate = value;
    kept.set("speed", value);
    speed.textContent = `${value}×`;
    speed.setAttribute("aria-label", `Speed ${value} times`);
  }
  const faster = (by) => {
    const now = SPEEDS.indexOf(audio.playbackRate);
    setSpeed(SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, (now < 0 ? 2 : now) + by))]);
  };
  function toggleLoop() {
    audio.loop = !audio.loop;
    kept.set("loop", audio.loop);
    loop.setAttribute("aria-pressed", String(audio.loop));
  }
  setSpeed(audio.playbackRate);

  const state = () => {
    play.replaceChildren(icon(audio.paused ? PLAY : PAUSE));
    play.setAttribute("aria-label", audio.paused ? "Play" : "Pause");
    tick();
  };
  for (const name of ["play", "pause"]) audio.addEventListener(name, state);
  for (const name of ["loadedmetadata", "seeked", "timeupdate"]) audio.addEventListener(name, draw);
  audio.addEventListener("playing", () => onHeard(), { once: true });
  play.addEventListener("click", toggle);
  loop.addEventListener("click", toggleLoop);
  speed.addEventListener("click", () => setSpeed(SPEEDS[(SPEEDS.indexOf(audio.playbackRate) + 1) % SPEEDS.length]));
  const point = (event) => {
    const room = canvas.getBoundingClientRect();
    seek(((event.clientX - room.left) / room.width) * length());
  };
  canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); point(event); });
  canvas.addEventListener("pointermove", (event) => { if (event.buttons) point(event); });
  canvas.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -1, ArrowRight: 1, PageDown: -5, PageUp: 5, Home: -1e9, End: 1e9 };
    if (!(event.key in steps)) return;
    seek(audio.currentTime + steps[event.key]);
    event.preventDefault(); event.stopPropagation();
  });
  const resize = new ResizeObserver(draw);
  resize.observe(canvas);
  addEventListener("emonet:theme", draw);
  if (autoplay) start();

  function key(event) {
    if (event.key === " ") toggle();
    else if (event.key === "l" || event.key === "L") toggleLoop();
    else if (event.key === "]") faster(1);
    else if (event.key === "[") faster(-1);
    else if (event.key === ",") seek(audio.currentTime - 1);
    else if (event.key === ".") seek(audio.currentTime + 1);
    else return false;
    return true;
  }
  return {
    node: [node], key, play: start, pause: () => audio.pause(),
    destroy() { gone = true; cancelAnimationFrame(frame); audio.pause(); audio.removeAttribute("src"); resize.disconnect(); removeEventListener("emonet:theme", draw); },
  };
}
