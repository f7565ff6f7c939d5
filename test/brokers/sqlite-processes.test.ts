import { failOnLeftovers } from '../support/leaks.ts'
import { testBrokerProcesses } from '../conformance/broker-processes.ts'
import { sqliteFixture } from './sqlite-fixture.ts'

failOnLeftovers()

testBrokerProcesses('sqlite', sqliteFixture)
