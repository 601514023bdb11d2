import { api, type CameraCheck, type Channel, Problem } from '../../lib/api'

/** What adding a camera takes, by whatever way it was found. */
export interface Picked {
  address: string
  sub_address: string
  username: string
  password: string
  /** What the camera calls itself. */
  name: string
}

export const fromChannel = (c: Channel, name: string, username: string, password: string): Picked => ({ address: c.address, sub_address: c.sub_address, username, password, name })

/** The body of a check or of adding it: nothing empty. */
export const body = (p: Picked) => ({
  address: p.address,
  ...(p.username ? { username: p.username, password: p.password } : {}),
  ...(p.sub_address ? { sub_address: p.sub_address } : {}),
})

// With these the second stream is not to blame, and asking again could lock the camera.
const final = ['camera.wrong_password', 'camera.forbidden_network', 'camera.unreachable', 'camera.refused', 'camera.timeout', 'request.too_many']

/** Looks at the camera. A second stream that does not work is left out when it was not typed but guessed. */
export async function look(p: Picked, guessed: boolean): Promise<{ found: CameraCheck; picked: Picked }> {
  try {
    return { found: await api.checkCamera(body(p)), picked: p }
  } catch (e) {
    if (!guessed || !p.sub_address || !(e instanceof Problem) || final.includes(e.code)) throw e
    const picked = { ...p, sub_address: '' }
    return { found: await api.checkCamera(body(picked)), picked }
  }
}
