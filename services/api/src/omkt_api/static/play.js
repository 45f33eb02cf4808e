// Plays one output: HLS through hls.js, or natively where there is no MediaSource; files directly.
const video = document.getElementById("video");
const failure = document.getElementById("failure");
const quality = document.getElementById("quality");
const source = video.dataset.source;

function fail(reason) {
  failure.textContent = `This cannot be played: ${reason}`;
  failure.hidden = false;
}

function showQuality() {
  quality.textContent = video.videoWidth ? `${video.videoWidth} × ${video.videoHeight}` : "sound only";
}

function playHls() {
  const hls = new window.Hls({ capLevelToPlayerSize: true });
  let recovered = false;
  hls.on(window.Hls.Events.ERROR, (_, error) => {
    if (!error.fatal) return;
    if (error.type === window.Hls.ErrorTypes.MEDIA_ERROR && !recovered) {
      recovered = true;
      hls.recoverMediaError();
      return;
    }
    const status = error.response?.code;
    hls.destroy();
    fail(status ? `the server answered ${status}. The link may have expired.` : error.details);
  });
  hls.loadSource(source);
  hls.attachMedia(video);
}

video.addEventListener("loadedmetadata", showQuality);
video.addEventListener("resize", showQuality);
video.addEventListener("error", () => fail(video.error?.message || "the browser gave no reason."));

if (video.dataset.kind === "hls" && window.Hls?.isSupported()) {
  playHls();
} else if (video.dataset.kind === "hls" && !video.canPlayType("application/vnd.apple.mpegurl")) {
  fail("this browser knows no HLS.");
} else {
  video.src = source;
}
