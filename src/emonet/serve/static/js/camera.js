// Take a snapshot, or watch scores follow the camera: one frame after the other, as fast as the server answers.
import { announce, h } from "./dom.js";
import { estimate, Trouble } from "./api.js";
import { closeLive, deviceTrouble, drawLive, openLive, setState } from "./live.js";

const LEAST_MS = 350; // between two frames
const LIVE_EDGE = 640, SNAPSHOT_EDGE = 1600; // pixels of the longer side

/** Open the panel. `onfile(file)`: a snapshot; `ontrouble(trouble)`; `wanted()`: the shown scale. */
export async function camera({ onfile, ontrouble, wanted, model }) {
  let media = null, running = null, facing = "user";
  const parts = openLive("Camera", { onclose: () => { running?.abort(); media?.getTracks().forEach((track) => track.stop()); } });
  const video = h("video", { autoplay: true, playsinline: true, "aria-label": "Camera picture" });
  video.muted = true;
  const boxes = h("div", { class: "boxes" });
  parts.look.append(h("div", { class: "frame video mirrored" }, video, boxes));
  const snap = h("button", { type: "button", class: "button", id: "snapshot", disabled: true, onclick: snapshot }, "Take a snapshot");
  const live = h("button", { type: "button", class: "button quiet", id: "live-toggle", disabled: true, "aria-pressed": "false", onclick: () => (running ? pause() : watch()) }, "Start live scores");
  const turn = h("button", { type: "button", class: "button quiet", id: "turn", hidden: true, onclick: () => { facing = facing === "user" ? "environment" : "user"; start().catch((error) => { parts.hint.textContent = deviceTrouble(error, "camera").title; }); } }, "Other camera");
  parts.controls.append(snap, live, turn);
  parts.hint.textContent = "A snapshot sends one picture to the server; live scores send about two small pictures a second. The server keeps none.";

  async function start() {
    media?.getTracks().forEach((track) => track.stop());
    media = await navigator.mediaDevices.getUserMedia({ video: { facingMode: facing, width: { ideal: 1280 } } });
    if (!parts.look.isConnected) { media.getTracks().forEach((track) => track.stop()); return; }
    video.parentNode.classList.toggle("mirrored", facing === "user");
    video.srcObject = media;
    await video.play();
    video.parentNode.style.setProperty("--ratio", String(video.videoWidth / video.videoHeight));
    snap.disabled = live.disabled = false;
    turn.hidden = (await navigator.mediaDevices.enumerateDevices()).filter((item) => item.kind === "videoinput").length < 2;
    snap.focus();
    setState("ready");
  }

  function frame(edge) {
    const shrink = Math.min(1, edge / Math.max(video.videoWidth, video.videoHeight));
    const canvas = h("canvas", { width: Math.round(video.videoWidth * shrink), height: Math.round(video.videoHeight * shrink) });
    canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
    return new Promise((resolve) => { canvas.toBlob((blob) => resolve({ blob, width: canvas.width, height: canvas.height }), "image/jpeg", 0.9); });
  }

  async function snapshot() {
    const { blob } = await frame(SNAPSHOT_EDGE);
    closeLive();
    onfile(new File([blob], `snapshot-${new Date().toTimeString().slice(0, 8).replaceAll(":", "")}.jpg`, { type: "image/jpeg" }));
  }

  function pause() {
    running?.abort();
    running = null;
    live.textContent = "Start live scores";
    live.setAttribute("aria-pressed", "false");
    boxes.replaceChildren();
    setState("ready");
  }

  async function watch() {
    const mine = (running = new AbortController());
    live.textContent = "Stop live scores";
    live.setAttribute("aria-pressed", "true");
    setState("live");
    announce("Live scores started.");
    while (!mine.signal.aborted) {
      const began = performance.now();
      try {
        const { blob, width, height } = await frame(LIVE_EDGE);
        const document = await estimate(blob, "camera.jpg", { model, signal: mine.signal, onwait: (seconds) => { parts.hint.textContent = `The server is busy; the next picture goes in ${Math.ceil(seconds)} s.`; } });
        if (mine.signal.aborted) return;
        show(document.estimates, width, height);
      } catch (error) {
        if (error.name === "AbortError") return;
        pause();
        parts.hint.textContent = error instanceof Trouble ? `${error.title}. ${error.message} ${error.remedy}` : error.message;
        return;
      }
      await new Promise((resolve) => { setTimeout(resolve, Math.max(0, LEAST_MS - (performance.now() - began))); });
    }
  }

  function show(rows, width, height) {
    const faces = rows.filter((row) => row.status === "ok").sort((a, b) => (b.right - b.left) - (a.right - a.left));
    boxes.replaceChildren(...faces.map((row, place) => h("span", { class: `box${place ? "" : " main"}`, style: { left: `${(row.left / width) * 100}%`, top: `${(row.top / height) * 100}%`, width: `${((row.right - row.left) / width) * 100}%`, height: `${((row.bottom - row.top) / height) * 100}%` } })));
    drawLive(parts, faces[0] ?? rows[0], wanted());
  }

  try { await start(); } catch (error) {
    closeLive();
    ontrouble(deviceTrouble(error, "camera"));
  }
}
