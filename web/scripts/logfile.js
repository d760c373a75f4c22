// Reading a log by ranges of bytes.

// readLog reads a range ("from-to", "from-" or "-last") of a log and returns
// its bytes, where they begin, and the file's id and size. It returns null if
// there is no such file, and undefined if there was no answer.
export async function readLog(log, range) {
  try {
    const response = await fetch(`api/log?${new URLSearchParams(log)}`, { headers: { Range: `bytes=${range}` }, cache: "no-store" });
    if (!response.ok) return undefined;
    const id = response.headers.get("Log-Id");
    if (!id) return null;
    const size = Number(response.headers.get("Log-Size"));
    if (response.status === 204) return { id, size, from: size, bytes: new Uint8Array() };
    const from = Number(/^bytes (\d+)-/.exec(response.headers.get("Content-Range") ?? "")?.[1] ?? 0);
    return { id, size, from, bytes: new Uint8Array(await response.arrayBuffer()) };
  } catch {
    return undefined;
  }
}
