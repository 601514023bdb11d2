// Starts the real binary with the demo camera on a throw-away data folder, and says where it is.
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../..')
const binary = resolve(process.env.JOURNEY_BINARY ?? join(root, 'bin/candor'))

export interface House {
  address: string
  code: string
  /** The RTSP address of its demo camera, for another house to add by hand. */
  camera: string
  stop: () => Promise<void>
}

export async function open(clip?: string): Promise<House> {
  if (!existsSync(binary)) throw new Error(`${binary} is not built: make build`)
  const data = mkdtempSync(join(tmpdir(), 'candor-journey-'))
  const [http, rtc] = [await freePort(), await freePort()]
  const args = ['demo', '--data', data, '--listen', `127.0.0.1:${http}`]
  if (clip) args.push('--clip', join(root, 'clips', clip))
  const child = spawn(binary, args, {
    cwd: root,
    env: { ...process.env, CANDOR_WEBRTC_UDP_PORT: String(rtc), CANDOR_WEBRTC_TCP_PORT: String(rtc), CANDOR_CAMERAS_ALLOW_LOOPBACK: 'true' },
  })
  let said = ''
  child.stdout.on('data', (d: Buffer) => (said += d.toString()))
  child.stderr.on('data', (d: Buffer) => (said += d.toString()))
  const stop = async () => {
    if (child.exitCode === null) {
      const gone = new Promise((done) => child.once('exit', done))
      child.kill('SIGTERM')
      await gone
    }
    rmSync(data, { recursive: true, force: true })
  }
  for (let i = 0; i < 300; i++) {
    const address = /Open\s+(http\S+)/.exec(said)?.[1]
    const code = /code\s+(\S+)/i.exec(said)?.[1]
    if (address && code) return { address: address.replace(/\/$/, ''), code, camera: `rtsp://127.0.0.1:${await cameraPort(child, [http, rtc])}/main`, stop }
    if (child.exitCode !== null) break
    await new Promise((r) => setTimeout(r, 100))
  }
  await stop()
  throw new Error(`candor did not start:\n${said}`)
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as { port: number }
  await new Promise((done) => server.close(done))
  return port
}

/** The port the demo camera listens on: of the ports of the process, the one that is neither ours. */
async function cameraPort(child: ChildProcess, ours: number[]): Promise<number> {
  for (let i = 0; i < 50; i++) {
    const sockets = new Set(
      readdirSync(`/proc/${child.pid}/fd`).flatMap((fd) => {
        try {
          return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${child.pid}/fd/${fd}`))?.[1] ?? []
        } catch {
          return []
        }
      }),
    )
    for (const line of readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1)) {
      const part = line.trim().split(/\s+/)
      const port = parseInt(part[1]?.split(':')[1] ?? '', 16)
      if (part[3] === '0A' && sockets.has(part[9] ?? '') && !ours.includes(port)) return port
    }
    await new Promise((r) => setTimeout(r, 100))
  }
  throw new Error('the demo camera does not listen')
}
