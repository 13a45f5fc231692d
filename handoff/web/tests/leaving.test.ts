import { describe, expect, it } from 'vitest'

import { leavingTo } from '../src/leaving'

describe('where signing out leads', () => {
  it('goes to a provider over https, or to one on this machine', () => {
    for (const address of ['https://id.example/logout?client_id=desk', 'http://127.0.0.1:8080/end', 'http://localhost/end', 'http://[::1]/end'])
      expect(leavingTo(address)).toBe(address)
  })

  it('stays where it is without an address, and for any that is something else', () => {
    for (const address of [null, undefined, '', 'javascript:alert(1)', 'data:text/html,x', 'http://id.example/end', '//id.example', '/staff/', 'https:'])
      expect(leavingTo(address)).toBeNull()
  })
})
