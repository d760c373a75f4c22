// Reading a log by ranges of bytes.

// readLog reads a range ("from-to", "from-" or "-last") of a log and returns
// its bytes, where they begin, and the file's id and size; or null if there is
// nothing to read.
export async function readLog(log, range) {
  try {
    const response = await fetch(`api/log?${new URLSearchParams(log)}`, { headers: { Range: `bytes=${range}` }, cache: "no-store" });
    const id = response.headers.get("Log-Id");
    const size = Number(response.headers.get("Log-Size"));
    if (response.status === 416 && id) return { id, size, from: size, bytes: new Uint8Array() };
    if (!response.ok) return null;
    const from = Number(/^bytes (\d+)-/.exec(response.headers.get("Content-Range") ?? "")?.[1] ?? 0);
    return { id, size, from, bytes: new Uint8Array(await response.arrayBuffer()) };
  } catch {
    return null;
  }
}
