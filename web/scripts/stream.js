// A stream of server-sent events that comes back by itself, where it left off.

const hiddenFor = 60_000; // a page that nobody sees leaves its place to others
const longestWait = 10_000;

// connect reads the events of an address relative to the page. handlers has a
// function for each name of event; changed is called with "live" or "lost".
// quietFor is how many milliseconds may pass without any event.
export function connect(address, handlers, changed, quietFor) {
  let source = null;
  let last = "";
  let wait = 1000;
  let retry = 0;
  let watch = 0;
  let hide = 0;

  function open() {
    close();
    const url = new URL(address, document.baseURI);
    if (last) url.searchParams.set("last-event-id", last);
    source = new EventSource(url);
    for (const [name, handle] of Object.entries(handlers)) {
      source.addEventListener(name, (event) => {
        if (event.lastEventId) last = event.lastEventId;
        alive();
        handle(JSON.parse(event.data));
      });
    }
    source.addEventListener("open", alive);
    source.addEventListener("error", again);
    watch = setTimeout(again, quietFor());
  }

  function alive() {
    wait = 1000;
    clearTimeout(watch);
    watch = setTimeout(again, quietFor());
    changed("live");
  }

  function again() {
    close();
    changed("lost");
    retry = setTimeout(open, wait);
    wait = Math.min(wait * 1.6, longestWait);
  }

  function close() {
    source?.close();
    source = null;
    clearTimeout(watch);
    clearTimeout(retry);
  }

  document.addEventListener("visibilitychange", () => {
    clearTimeout(hide);
    if (document.hidden) hide = setTimeout(close, hiddenFor);
    else if (!source) open();
  });
  addEventListener("online", open);
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => event.persisted && open());
  open();
}
