// The programs of the journey: the real binary on a throw-away folder, and a camera server of another make.

import { spawn, execFile } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { createServer, connect } from 'node:net'
import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createWriteStream } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '../../..')
const binary = process.env.E2E_BINARY ?? join(root, 'bin/candor')
const started = []

/** A folder that is removed when everything passed. */
export const makeFolder = () => mkdtemp(join(tmpdir(), 'candor-e2e-'))
export const removeFolder = (folder) => rm(folder, { recursive: true, force: true })

function start(file, args, log) {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const out = createWriteStream(log)
  child.stdout.pipe(out)
  child.stderr.pipe(out)
  child.ended = new Promise((done) => {
    child.once('exit', done)
    child.once('error', done)
  })
  started.push(child)
  return child
}

/** Ends every program that this run started. */
export async function stopAll() {
  for (const child of started) if (child.exitCode === null) child.kill('SIGTERM')
  const patience = setTimeout(() => started.forEach((child) => child.exitCode === null && child.kill('SIGKILL')), 10_000)
  await Promise.all(started.map((child) => child.ended))
  clearTimeout(patience)
}

/** A folder with this build's policy, changed: edits are [file, old, new]; `before` is the folder of the version it follows. */
export async function ownPolicy(folder, name, edits, before) {
  const made = join(folder, name)
  await cp(join(root, 'policy'), made, { recursive: true, filter: (f) => !f.endsWith('.go') && !f.endsWith('.json') })
  for (const [file, old, now] of edits) {
    const text = await readFile(join(made, file), 'utf8')
    if (!text.includes(old)) throw new Error(`policy/${file} does not contain ${old}`)
    await writeFile(join(made, file), text.replace(old, now))
  }
  if (before) {
    await mkdir(join(made, 'archive'), { recursive: true })
    await run(binary, ['policy', 'pack', before]) // into its archive, where the version that follows has it
    await rename(join(before, 'archive/1.json'), join(made, 'archive/1.json'))
  }
  await run(binary, ['policy', 'check', made])
  return made
}

/** Runs a command of the binary beside the server of that name; its output. */
export const command = async (folder, name, ...args) => (await run(binary, [...args, '--data_dir', join(folder, name)])).stdout

/** What the program says of a receipt. */
export const verify = async (...args) => (await run(binary, ['verify', ...args])).stdout

/** Starts Candor with its demo camera; resolves to its address and set-up code as a newcomer reads them. `webrtc` = a port is open for it; `again` = on a folder that has its first account. */
export async function startCandor(folder, name, { webrtc, more = [], again = false }) {
  const port = webrtc ? await freeUDP() : 0
  const child = start(
    binary,
    ['demo', '--data', join(folder, name), '--listen', '127.0.0.1:0', `--webrtc.udp_port=${port}`, '--webrtc.tcp_port=0', '--cameras.allow_loopback=true', ...more],
    join(folder, `${name}.log`),
  )
  let text = ''
  return new Promise((done, fail) => {
    child.stderr.on('data', (b) => (text += b))
    child.stdout.on('data', (b) => {
      text += b
      const address = /http:\/\/localhost:\d+/.exec(text)?.[0]
      const code = /\b[A-Z0-9]{4}(?:-[A-Z0-9]{4})+\b/.exec(text)?.[0]
      if (address && (code || again)) done({ address, code, stop: () => (child.kill('SIGTERM'), child.ended) })
    })
    child.once('error', (e) => fail(new Error(`${binary}: ${e.message} (make build makes it)`)))
    child.once('close', () => fail(new Error(`Candor ended before it said where it is:\n${text}`)))
  })
}

const freePort = () =>
  new Promise((done) => {
    const s = createServer().listen(0, '127.0.0.1', () => {
      const { port } = s.address()
      s.close(() => done(port))
    })
  })

const freeUDP = () =>
  new Promise((done) => {
    const s = createSocket('udp4').bind(0, '127.0.0.1', () => {
      const { port } = s.address()
      s.close(() => done(port))
    })
  })

const listens = (port) =>
  new Promise((done) => {
    const c = connect(port, '127.0.0.1')
    c.once('connect', () => (c.destroy(), done(true)))
    c.once('error', () => done(false))
  })

export const foreignUser = 'admin'
export const foreignPassword = 'tall-grass'

/** go2rtc as tools/go.mod pins it, with ffmpeg sending it clips as they are: a camera that is not ours. */
export async function startForeign(folder) {
  const file = process.env.E2E_GO2RTC ?? join(folder, 'go2rtc')
  if (!process.env.E2E_GO2RTC)
    await run('go', ['build', '-o', file, 'github.com/AlexxIT/go2rtc'], { cwd: join(root, 'tools'), env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly' } })
  const port = await freePort()
  const clip = (name) => `exec:ffmpeg -v error -re -stream_loop -1 -i ${join(root, 'clips', name)} -c copy -f rtsp -rtsp_transport tcp {output}`
  const config = join(folder, 'go2rtc.yaml')
  await writeFile(
    config,
    `api: {listen: ""}
webrtc: {listen: ""}
srtp: {listen: ""}
rtsp: {listen: "127.0.0.1:${port}", username: ${foreignUser}, password: ${foreignPassword}, default_query: "video&audio"}
streams:
  hall: "${clip('one-by-one-person-detection.mp4')}"
  street: "${clip('cars.mp4')}"
`,
  )
  start(file, ['-config', config], join(folder, 'go2rtc.log'))
  for (let i = 0; i < 300; i++) {
    if (await listens(port)) return { port, url: (path) => `rtsp://127.0.0.1:${port}/${path}` }
    await new Promise((r) => setTimeout(r, 100))
  }
  throw new Error('go2rtc does not listen')
}

/** A camera with a password nobody knows: go2rtc asks none from its own machine. */
export async function startLocked() {
  const server = createServer((c) => {
    c.on('error', () => {})
    c.on('data', (b) => {
      const text = b.toString('latin1')
      const answer = text.startsWith('OPTIONS ') ? '200 OK\r\nPublic: DESCRIBE' : '401 Unauthorized\r\nWWW-Authenticate: Digest realm="camera", nonce="5e8bb2", algorithm="MD5"'
      c.write(`RTSP/1.0 ${answer}\r\nCSeq: ${/^CSeq:\s*(\d+)/im.exec(text)?.[1] ?? 1}\r\n\r\n`)
    })
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  server.unref()
  return `rtsp://127.0.0.1:${server.address().port}/stream1`
}

/** What ffprobe counts in a film: pictures that really decode, size, sound. */
export async function probe(file) {
  const { stdout } = await run('ffprobe', ['-v', 'error', '-count_frames', '-show_entries', 'stream=codec_type,codec_name,width,height,nb_read_frames:format=duration', '-of', 'json', file], { maxBuffer: 1 << 24 })
  const { streams, format } = JSON.parse(stdout)
  const video = streams.find((s) => s.codec_type === 'video')
  const audio = streams.find((s) => s.codec_type === 'audio')
  return { width: video?.width, height: video?.height, codec: video?.codec_name, pictures: Number(video?.nb_read_frames ?? 0), sound: Number(audio?.nb_read_frames ?? 0), seconds: Number(format?.duration ?? 0) }
}
