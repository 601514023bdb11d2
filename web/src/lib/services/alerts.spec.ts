import { beforeAll, expect, test, vi } from 'vitest'
import type { AlertSettings } from '../api'
import { words } from '../words/index.svelte'
import { alertHoursLine, choiceOf, complete, daysLine, overnight } from './alerts'

beforeAll(async () => {
  vi.stubGlobal('document', { documentElement: {} })
  await words.use('en')
})

const settings = (rules: AlertSettings['rules']): AlertSettings => ({ rules, devices: [], pauses: [], mail: true, push_consent: 'none', push_key: '' })

test('nothing chosen: silent about motion, gaps told in the app and nowhere else', () => {
  expect(choiceOf(settings([]), 'door', 'motion')).toEqual({ kind: 'motion', app: false, push: false, mail: false, pictures: false })
  expect(choiceOf(settings([]), 'door', 'gap')).toEqual({ kind: 'gap', app: true, push: false, mail: false, pictures: false })
})

test('a choice is that of its camera and kind, and goes back as the server takes it', () => {
  const rule = { camera_id: 'door', kind: 'gap' as const, app: false, push: false, mail: true, mail_stopped: true, pictures: false, hours: [] }
  expect(choiceOf(settings([rule]), 'door', 'gap')).toEqual({ kind: 'gap', app: false, push: false, mail: true, pictures: false })
  expect(choiceOf(settings([rule]), 'door', 'motion').mail).toBe(false)
  expect(choiceOf(settings([rule]), 'yard', 'gap').mail).toBe(false)
})

test('days in a row read as a stretch', () => {
  expect(daysLine([5, 1, 2, 4, 3])).toBe('Mon–Fri')
  expect(daysLine([6, 7])).toBe('Sat, Sun')
  expect(daysLine([1, 3, 5])).toBe('Mon, Wed, Fri')
  expect(daysLine([1, 2, 3, 4, 5, 6, 7])).toBe('every day')
  expect(daysLine([])).toBe('')
})

test('hours as words', () => {
  expect(alertHoursLine()).toBe('at any time')
  expect(alertHoursLine([{ days: [1, 2, 3], from: '22:00', to: '06:00' }, { days: [7], from: '00:00', to: '24:00' }])).toBe('Mon–Wed 22:00–06:00 · Sun 00:00–24:00')
})

test('a stretch that ends at or before its beginning ends on the next day', () => {
  const h = (from: string, to: string) => ({ days: [1], from, to })
  expect([h('22:00', '06:00'), h('08:00', '08:00'), h('08:00', '18:00'), h('08:00', '24:00')].map(overnight)).toEqual([true, true, false, false])
})

test('no days or a time half typed is not a stretch', () => {
  expect(complete({ days: [], from: '08:00', to: '18:00' })).toBe(false)
  expect(complete({ days: [1], from: '', to: '18:00' })).toBe(false)
  expect(complete({ days: [1], from: '08:00', to: '18:00' })).toBe(true)
})
